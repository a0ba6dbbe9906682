/*
 * The numbers and layouts by which lib/kernel/koffi calls libc, for each architecture and C library. No code: the test
 * test/integration/native/layouts.test.ts compiles it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

/* libc.ts: struct msghdr, where musl has 32-bit lengths with padding in the place of their upper halves */
_Static_assert(offsetof(struct msghdr, msg_name) == 0 && offsetof(struct msghdr, msg_namelen) == 8, "msghdr");
_Static_assert(offsetof(struct msghdr, msg_iov) == 16 && offsetof(struct msghdr, msg_iovlen) == 24, "msghdr");
_Static_assert(offsetof(struct msghdr, msg_control) == 32 && offsetof(struct msghdr, msg_controllen) == 40, "msghdr");
_Static_assert(offsetof(struct msghdr, msg_flags) == 48 && sizeof(struct msghdr) == 56, "msghdr");
_Static_assert(offsetof(struct iovec, iov_base) == 0 && offsetof(struct iovec, iov_len) == 8, "iovec");
_Static_assert(SYS_pidfd_send_signal == 424 && SYS_pidfd_open == 434, "numbers of system calls");

/* koffi-kernel.ts: descriptorMessage, constants, statfs(2) into 256 bytes */
_Static_assert(CMSG_LEN(0) == 16 && CMSG_SPACE(sizeof(int)) == 24, "cmsghdr");
_Static_assert(offsetof(struct cmsghdr, cmsg_level) == 8 && offsetof(struct cmsghdr, cmsg_type) == 12, "cmsghdr");
_Static_assert(offsetof(struct statfs, f_type) == 0 && sizeof(struct statfs) <= 256, "statfs");
_Static_assert(O_CLOEXEC == 02000000 && SOCK_CLOEXEC == O_CLOEXEC && MFD_CLOEXEC == 1, "close-on-exec");
_Static_assert(AF_UNIX == 1 && AF_INET == 2 && AF_INET6 == 10 && AF_NETLINK == 16, "address families");
_Static_assert(SOCK_STREAM == 1 && SOCK_DGRAM == 2 && SOCK_RAW == 3 && SOCK_SEQPACKET == 5, "kinds of sockets");
_Static_assert(SOL_SOCKET == 1 && SCM_RIGHTS == 1 && MSG_NOSIGNAL == 0x4000 && MSG_DONTWAIT == 0x40, "sockets");
_Static_assert(LOCK_SH == 1 && LOCK_EX == 2 && LOCK_NB == 4 && LOCK_UN == 8, "flock");
_Static_assert(F_ADD_SEALS == 1033 && MFD_ALLOW_SEALING == 2, "memfd");
_Static_assert((F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0xf, "seals");
_Static_assert(EINTR == 4 && ENOENT == 2 && ESRCH == 3 && EINVAL == 22 && EPIPE == 32, "errno");
_Static_assert(EWOULDBLOCK == 11 && EADDRINUSE == 98 && ECONNRESET == 104, "errno");

/* netlink-exchange.ts, probe-port.ts */
_Static_assert(SO_RCVTIMEO == 20 && MSG_TRUNC == 0x20 && NETLINK_NETFILTER == 12, "netlink");
_Static_assert(sizeof(struct sockaddr_nl) == 12 && sizeof(struct sockaddr_in) == 16, "addresses");
_Static_assert(sizeof(struct sockaddr_in6) == 28 && offsetof(struct sockaddr_in6, sin6_addr) == 8, "addresses");
_Static_assert(IPPROTO_IPV6 == 41 && IPV6_V6ONLY == 26, "IPv6");

/* lib/runtime/seccomp/architecture.ts */
_Static_assert(AUDIT_ARCH_X86_64 == 0xc000003e && AUDIT_ARCH_I386 == 0x40000003, "x86");
_Static_assert(AUDIT_ARCH_AARCH64 == 0xc00000b7 && AUDIT_ARCH_ARM == 0x40000028, "ARM");
