/*
 * What a role gives up before it reads hostile input:
 *
 *   step            needs            why here
 *   close_range     nothing          first: nothing inherited can be reached later
 *   no_new_privs    nothing          the filter needs it; no set-id program could help anyway
 *   mount namespace CAP_SYS_ADMIN    the role's directories are open by then
 *   pivot_root      CAP_SYS_ADMIN    the host's tree has no name any more, also for absolute links
 *   bounding set    CAP_SETPCAP      while that capability is still there
 *   capabilities    nothing          only what creating files of any owner and type takes
 *   system calls    no_new_privs     last: the steps before need calls that the filter refuses
 *
 * An unprivileged user cannot take the steps that need a capability and does not need them as much.
 */
#include "layer.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define BACKGROUND_NICE 5

/* sys/mount.h, which has these, and linux/mount.h exclude each other in some C libraries. */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int umount2(const char *target, int flags);
#define MNT_DETACH 2

#define BIT(capability) (1ull << (capability))

static const uint64_t needed = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) |
                               BIT(CAP_FSETID) | BIT(CAP_MKNOD) | BIT(CAP_SETFCAP);

int layer_start(void)
{
    struct rlimit files;
    struct pollfd report = { .fd = 3, .events = POLLOUT };

    if (syscall(SYS_close_range, 4u, ~0u, 0u) < 0 && errno != ENOSYS)
        return -errno;
    /* Who started us holds a lock on what we write; when it dies the lock is gone, so must we be. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -errno;
    if (poll(&report, 1, 0) < 0 || (report.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
        return -EPIPE; /* it died before that */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) { /* two descriptors per level of a tree that is copied */
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    umask(0);
    /* The program that uses the library is to stay quick while a large image is unpacked on every processor. */
    (void)!nice(BACKGROUND_NICE);
    return 0;
}

int layer_unshare(bool *made, struct tsc_err *err)
{
    *made = false;
    if (unshare(CLONE_NEWNS) < 0)
        return errno == EPERM ? 0 : tsc_fail(err, errno, "unshare", "mount namespace");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return tsc_fail(err, errno, "mount", "private /");
    *made = true;
    return 0;
}

int layer_open_directory(const char *path, struct tsc_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? tsc_fail(err, errno, "open", "%s", path) : fd;
}

/*
 * Makes `directory` the root of a mount namespace of our own, where nothing else is mounted. Descriptors opened before
 * keep the mounts of the old namespace, the working directory moves with us: hence fchdir first.
 */
static int pivot(int directory, struct tsc_err *err)
{
    TSC_AUTO_FD tree = -1;
    bool made;
    int result;

    if (fchdir(directory) < 0)
        return tsc_fail(err, errno, "fchdir", "new root");
    if ((result = layer_unshare(&made, err)) < 0 || !made)
        return result;
    tree = (int)syscall(SYS_open_tree, AT_FDCWD, ".", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0)
        return tsc_fail(err, errno, "open_tree", "new root");
    if (syscall(SYS_move_mount, tree, "", AT_FDCWD, ".", MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return tsc_fail(err, errno, "move_mount", "new root");
    if (fchdir(tree) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return tsc_fail(err, errno, "pivot_root", "new root");
    return umount2(".", MNT_DETACH) < 0 ? tsc_fail(err, errno, "umount2", "old root") : 0;
}

static int drop_capabilities(uint64_t keep, struct tsc_err *err)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct have[2], proof[2];

    if (syscall(SYS_capget, &header, have) < 0)
        return tsc_fail(err, errno, "capget", "capabilities");
    for (unsigned i = 0; i < 2; i++) {
        have[i].permitted &= (uint32_t)(keep >> (32 * i));
        have[i].effective = have[i].permitted;
        have[i].inheritable = 0;
    }
    if (syscall(SYS_capset, &header, have) < 0 || syscall(SYS_capget, &header, proof) < 0)
        return tsc_fail(err, errno, "capset", "capabilities");
    return memcmp(have, proof, sizeof(have)) == 0 ? 0 : tsc_fail(err, EPERM, "capset", "capabilities were not dropped");
}

static int drop_bounding_set(uint64_t keep, struct tsc_err *err)
{
    for (unsigned capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
        if ((keep & BIT(capability)) == 0 && prctl(PR_CAPBSET_DROP, capability) < 0)
            return errno == EPERM ? 0 : tsc_fail(err, errno, "prctl", "bounding set");
    return 0;
}

int layer_confine(int directory, unsigned flags, struct tsc_err *err)
{
    uint64_t keep = needed | ((flags & CONFINE_TRUSTED) != 0 ? BIT(CAP_SYS_ADMIN) : 0);
    int result;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return tsc_fail(err, errno, "prctl", "no_new_privs");
    if ((result = pivot(directory, err)) < 0 || (result = drop_bounding_set(keep, err)) < 0 ||
        (result = drop_capabilities(keep, err)) < 0)
        return result;
    return layer_load_seccomp(err);
}
