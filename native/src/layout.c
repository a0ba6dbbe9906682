/*
 * What is passed to the kernel as bytes, or comes from the library as bytes, on each architecture that the shim is built
 * for. No code: a compiler for which one of these is wrong builds no shim.
 */
#include "launch.h"

#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/signalfd.h>

/* Plans, frames and records are little-endian and read with memcpy(3). */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a little-endian machine");
_Static_assert(sizeof(int) == 4 && sizeof(long) == 8 && sizeof(void *) == 8, "a 64-bit machine");
_Static_assert(sizeof(pid_t) == 4 && sizeof(uid_t) == 4 && sizeof(gid_t) == 4, "ids as plans have them");
_Static_assert(sizeof(off_t) == 8 && sizeof(rlim_t) == 8, "sizes of files and limits");

/* Arguments of system calls that grow: the kernel is told the size, and the first version is the one that is needed. */
_Static_assert(sizeof(struct open_how) == 24, "openat2(2)");
_Static_assert(sizeof(struct mount_attr) == MOUNT_ATTR_SIZE_VER0, "mount_setattr(2)");
_Static_assert(sizeof(struct clone_args) >= CLONE_ARGS_SIZE_VER2, "clone3(2) with a cgroup");
_Static_assert(offsetof(struct clone_args, cgroup) == 80, "clone3(2)");

/* Arrays that TypeScript assembles. */
_Static_assert(sizeof(struct sock_filter) == 8 && offsetof(struct sock_filter, k) == 4, "seccomp(2): instructions");
_Static_assert(offsetof(struct seccomp_data, arch) == 4 && offsetof(struct seccomp_data, args) == 16, "what filters read");
_Static_assert(sizeof(struct bpf_insn) == 8 && offsetof(struct bpf_insn, imm) == 4, "bpf(2): instructions");
_Static_assert(sizeof(struct nlmsghdr) == 16 && sizeof(struct nlmsgerr) == 20, "netlink(7)");

_Static_assert(sizeof(struct __user_cap_data_struct) == 12, "capset(2)");
_Static_assert(sizeof(struct signalfd_siginfo) == 128, "signalfd(2)");
_Static_assert(sizeof(struct rlimit) == 16, "prlimit(2)");

/* A failure goes from child to shim as it is: one message, told from the others by its size. */
_Static_assert(sizeof(struct tsc_failure) == 300 && sizeof(struct tsc_failure) > 1 + sizeof(int), "reports of the child");
