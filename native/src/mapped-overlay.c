/*
 * The root of a container in a user namespace: an overlay whose layers are idmapped, so that what belongs to root on the disk
 * belongs to root inside, and what is written inside is on the disk as root wrote it. Overlay itself cannot be idmapped, its
 * layers can since Linux 5.19.
 *
 * Layers must be mounted somewhere, and be it where nobody sees it: in a mount namespace that goes away again. The overlay
 * keeps what it needs of them.
 */
#include "launch.h"
#include "mount-api.h"

#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>

/*
 * Overlay does its own work as who mounts it: nothing can be made in a mapped directory by an id that is not among the
 * mapped ones. The rights over files, which go with the change, are taken back.
 */
static int act_as(uid_t uid, gid_t gid, struct tsc_err *err)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[2];

    setfsgid(gid);
    setfsuid(uid);
    if (setfsuid((uid_t)-1) != (int)uid || setfsgid((gid_t)-1) != (int)gid)
        return tsc_fail(err, EPERM, "setfsuid", "%u", uid);
    if (syscall(SYS_capget, &header, sets) < 0)
        return tsc_fail(err, errno, "capget", "own capabilities");
    for (int half = 0; half < 2; half++)
        sets[half].effective = sets[half].permitted;
    return syscall(SYS_capset, &header, sets) < 0 ? tsc_fail(err, errno, "capset", "own capabilities") : 0;
}

static int map_directory(const char *path, int users, struct tsc_err *err)
{
    struct mount_attr attr = {
        .attr_set = MOUNT_ATTR_IDMAP, .propagation = MS_PRIVATE, .userns_fd = (uint64_t)(unsigned)users
    };
    TSC_AUTO_FD place = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    TSC_AUTO_FD mount = tsc_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE);

    if (place < 0 || mount < 0)
        return tsc_fail(err, errno, "open_tree", "%s", path);
    if (syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
        return tsc_fail(err, errno, "mount_setattr", "maps of users on %s", path);
    return tsc_move_mount(mount, place) < 0 ? tsc_fail(err, errno, "move_mount", "%s", path) : 0;
}

/* The mount as a descriptor, in a mount namespace that may end. */
static int mount_mapped(char *const *lower, const char *upper, const char *work, const char *target, uint32_t flags,
                        int users, const uint32_t root[2], struct tsc_err *err)
{
    const char *slash = strrchr(upper, '/');
    char above[4096];
    int mount;

    if (slash == NULL || snprintf(above, sizeof(above), "%.*s", (int)(slash - upper), upper) >= (int)sizeof(above))
        return tsc_fail(err, ENAMETOOLONG, "mount", "%s", upper);
    if (tsc_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return tsc_fail(err, errno, "mount", "private");
    for (char *const *each = lower; *each != NULL; each++)
        if (map_directory(*each, users, err) < 0)
            return -err->errnum;
    if (map_directory(above, users, err) < 0) /* `upper` and `work` must be in one mount */
        return -err->errnum;
    if (act_as(root[0], root[1], err) < 0 || tsc_mount_overlay(lower, upper, work, target, flags, err) < 0)
        return -err->errnum;
    mount = tsc_open_tree(AT_FDCWD, target, OPEN_TREE_CLONE);
    return mount < 0 ? tsc_fail(err, errno, "open_tree", "%s", target) : mount;
}

int tsc_op_mapped_overlay(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t slot = tsc_take_u32(payload);
    uint32_t users = tsc_take_u32(payload);
    size_t count = 0;
    TSC_AUTO_FREE char **lower = tsc_take_list(payload, 0, &count);
    const char *upper = tsc_take_string(payload);
    const char *work = tsc_take_string(payload);
    const char *target = tsc_take_string(payload);
    uint32_t flags = tsc_take_u32(payload);
    uint32_t root[2] = { tsc_take_u32(payload), tsc_take_u32(payload) };
    struct tsc_err ignored = { 0 };
    TSC_AUTO_FD own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    TSC_AUTO_FD mount = -1;

    if (lower == NULL)
        return tsc_fail(err, ENOMEM, "mount", "%s", upper);
    if (slot >= TSC_MAX_MOUNTS || users >= TSC_MAX_TARGETS || launch->targets[users] < 0)
        return tsc_fail(err, EINVAL, "mount", "slots %u and %u", slot, users);
    if (own < 0 || unshare(CLONE_NEWNS) < 0)
        return tsc_fail(err, errno, "unshare", "mount namespace for layers");
    mount = mount_mapped(lower, upper, work, target, flags, launch->targets[users], root, err);
    if (act_as(0, 0, mount < 0 ? &ignored : err) < 0 || setns(own, CLONE_NEWNS) < 0)
        return tsc_fail(err, errno, "setns", "back to the host's mounts");
    if (mount < 0)
        return -err->errnum;
    if (launch->mounts[slot] > 0)
        close(launch->mounts[slot]);
    launch->mounts[slot] = tsc_steal_fd(&mount);
    return 0;
}
