/*
 * The system calls that are left once a role has its descriptors: reading, and changing trees through descriptors.
 * No sockets, no new programs, no mounts, no executable memory. Anything else kills the process.
 */
#include "layer.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#error "no system call table for this processor"
#endif

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static const uint32_t allowed[] = {
    /* data */
    SYS_read, SYS_write, SYS_writev, SYS_readv, SYS_pread64, SYS_pwrite64, SYS_lseek, SYS_ftruncate, SYS_copy_file_range,
    /* descriptors */
    SYS_close, SYS_fcntl, SYS_openat, SYS_openat2, SYS_fchdir, SYS_fstat, SYS_newfstatat, SYS_statx, SYS_getdents64,
    SYS_readlinkat, SYS_fstatfs, SYS_syncfs, SYS_fsync,
    /* changes */
    SYS_mkdirat, SYS_mknodat, SYS_symlinkat, SYS_linkat, SYS_unlinkat, SYS_renameat2, SYS_fchown, SYS_fchownat,
    SYS_fchmod, SYS_fchmodat, SYS_fchmodat2, SYS_utimensat, SYS_fsetxattr, SYS_lsetxattr, SYS_fgetxattr, SYS_lgetxattr,
    SYS_flistxattr, SYS_llistxattr, SYS_fremovexattr,
#ifdef SYS_renameat /* not on arm64 */
    SYS_renameat,
#endif
    /* memory and the end */
    SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex, SYS_getrandom, SYS_geteuid, SYS_getegid, SYS_getpid,
    SYS_gettid, SYS_tgkill, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_rt_sigreturn, SYS_clock_gettime, SYS_exit,
    SYS_exit_group,
};
enum { allowed_count = sizeof(allowed) / sizeof(allowed[0]) };


enum { fixed_instructions = 16, program_max = fixed_instructions + 2 * allowed_count };

static struct sock_filter program[program_max];
static unsigned short length;

static void emit(struct sock_filter instruction)
{
    program[length++] = instruction;
}

static void load(size_t offset)
{
    emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void finish(uint32_t action)
{
    emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* Runs the next `count` instructions only for the call `nr`. */
static void only_for(uint32_t nr, uint8_t count)
{
    emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, count));
}

/* The low half of an argument, on little-endian processors: those looked at are ints. */
static size_t argument(unsigned index)
{
    return offsetof(struct seccomp_data, args) + index * sizeof(uint64_t);
}

static void build(void)
{
    load(offsetof(struct seccomp_data, arch));
    emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0));
    finish(SECCOMP_RET_KILL_PROCESS);
    load(offsetof(struct seccomp_data, nr)); /* x32 calls have their own numbers, which are not in the list */
    for (size_t i = 0; i < allowed_count; i++) {
        only_for(allowed[i], 1);
        finish(SECCOMP_RET_ALLOW);
    }
    only_for(SYS_mmap, 4);
    load(argument(2));
    emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0));
    finish(SECCOMP_RET_ALLOW);
    finish(SECCOMP_RET_KILL_PROCESS);
    only_for(SYS_ioctl, 3);
    load(argument(1));
    emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)FICLONE, 0, 1));
    finish(SECCOMP_RET_ALLOW);
    finish(SECCOMP_RET_KILL_PROCESS);
}

int layer_load_seccomp(struct tsc_err *err)
{
    struct sock_fprog filter;

    build();
    filter = (struct sock_fprog){ .len = length, .filter = program };
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
        return tsc_fail(err, errno, "seccomp", "filter of %u instructions", length);
    return 0;
}
