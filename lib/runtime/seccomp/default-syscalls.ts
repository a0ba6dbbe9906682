/**
 * The system calls that a container may make, by purpose. Names that an architecture does not have do no harm there.
 *
 * In effect the same set as Docker's default profile. What is in no group fails with EPERM; notable absentees and the
 * reason: io_uring_* (works around filters, large attack surface), userfaultfd (makes kernel races winnable), keyctl,
 * add_key, request_key (key rings are not namespaced), kexec_*, swapon, swapoff, pivot_root, nfsservctl, uselib,
 * vm86, move_pages, migrate_pages.
 */
const groups = {
  files: `open openat openat2 creat close close_range read readv pread64 preadv preadv2 write writev pwrite64 pwritev
    pwritev2 lseek _llseek sendfile sendfile64 copy_file_range splice tee vmsplice readahead fadvise64 fadvise64_64
    arm_fadvise64_64 fallocate truncate truncate64 ftruncate ftruncate64 sync syncfs fsync fdatasync sync_file_range
    sync_file_range2 arm_sync_file_range cachestat ioctl fcntl fcntl64 flock dup dup2 dup3 pipe pipe2 umask`,
  metadata: `stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64
    statmount listmount access faccessat faccessat2 chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32
    fchownat lchown lchown32 utime utimes futimesat utimensat utimensat_time64 name_to_handle_at`,
  attributes: `getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat listxattr llistxattr
    flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat`,
  directories: `getcwd chdir fchdir mkdir mkdirat rmdir mknod mknodat link linkat unlink unlinkat symlink symlinkat
    readlink readlinkat rename renameat renameat2 getdents getdents64`,
  watches: `inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark`,
  waiting: `select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 epoll_create epoll_create1 epoll_ctl
    epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4`,
  asynchronousIo: `io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64`,
  memory: `brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 munlock mlockall munlockall mseal
    remap_file_pages memfd_create memfd_secret membarrier pkey_alloc pkey_free pkey_mprotect map_shadow_stack
    process_mrelease`,
  processes: `fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid getpgrp
    setpgid getsid setsid set_tid_address prctl arch_prctl modify_ldt get_thread_area set_thread_area set_tls
    cacheflush breakpoint rseq restart_syscall pidfd_open pidfd_send_signal uretprobe riscv_hwprobe`,
  debugging: `ptrace process_vm_readv process_vm_writev`, // safe since Linux 4.8: tracers cannot bypass filters
  signals: `kill tkill tgkill rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn pause alarm`,
  identity: `getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid
    getresgid32 getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid
    setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capget capset`,
  confinement: `seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self`, // these only take rights away
  scheduling: `sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
    sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
    sched_rr_get_interval_time64 getpriority setpriority ioprio_get ioprio_set getcpu`,
  limits: `getrlimit ugetrlimit setrlimit prlimit64 getrusage times sysinfo uname`,
  locks: `futex futex_time64 futex_wait futex_wake futex_waitv futex_requeue get_robust_list set_robust_list`,
  time: `time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep
    clock_nanosleep_time64 nanosleep getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime
    timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
    timerfd_settime64 adjtimex clock_adjtime clock_adjtime64`, // setting through adjtimex needs CAP_SYS_TIME anyway
  sockets: `socketpair bind connect listen accept accept4 getsockname getpeername getsockopt setsockopt shutdown send
    sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64`,
  ipc: `ipc msgget msgctl msgsnd msgrcv semget semctl semop semtimedop semtimedop_time64 shmget shmctl shmat shmdt mq_open
    mq_unlink mq_notify mq_getsetattr mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64`,
  random: `getrandom`,
};

/** Allowed in every container. */
export const commonSyscalls: readonly string[] = Object.values(groups).flatMap((names) => names.trim().split(/\s+/));
