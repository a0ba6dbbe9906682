/*
 * Mounts in three steps: made (by the shim, which sees the host's files, or by the child, which owns the container's
 * namespaces), given attributes, put in place. Between the steps a mount is a descriptor in a numbered slot and visible
 * to nobody.
 */
#include "launch.h"
#include "layer.h"
#include "mount-api.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define MAKE_RECURSIVE 1u
#define MAKE_NO_FOLLOW 2u /* a source that is a symbolic link is bound itself */

#define PLACE_NO_LINKS 1u     /* the target's path must hold no symbolic link: /proc, /sys, /dev (CVE-2019-19921) */
#define PLACE_COPY_UP 2u      /* first copies what the target holds */
#define PLACE_INHERIT_MODE 4u /* the mount's root gets the mode of the directory below it */
#define PLACE_NO_FOLLOW 8u    /* a target that is a symbolic link is covered itself */

#define NO_NAMESPACE 0xffffffffu

static int check_slot(uint32_t slot, struct tsc_err *err)
{
    return slot < TSC_MAX_MOUNTS ? 0 : tsc_fail(err, EINVAL, "mount", "slot %u", slot);
}

static void put_slot(struct tsc_launch *launch, uint32_t slot, int fd)
{
    if (launch->mounts[slot] > 0)
        close(launch->mounts[slot]);
    launch->mounts[slot] = fd;
}

/* 0 is never a mount, since stdio takes it: it means empty. */
static int slot_fd(struct tsc_launch *launch, uint32_t slot, struct tsc_err *err)
{
    if (check_slot(slot, err) < 0)
        return -EINVAL;
    return launch->mounts[slot] > 0 ? launch->mounts[slot] : tsc_fail(err, EBADF, "mount", "slot %u is empty", slot);
}

int tsc_op_make_mount(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t slot = tsc_take_u32(payload);
    const char *type = tsc_take_string(payload);
    const char *source = tsc_take_string(payload);
    size_t count = 0;
    TSC_AUTO_FREE char **options = tsc_take_list(payload, 0, &count);
    uint32_t flags = tsc_take_u32(payload);
    unsigned how = OPEN_TREE_CLONE | ((flags & MAKE_RECURSIVE) != 0 ? AT_RECURSIVE : 0u) |
                   ((flags & MAKE_NO_FOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0u);
    int fd;

    if (check_slot(slot, err) < 0)
        return -EINVAL;
    if (options == NULL)
        return tsc_fail(err, ENOMEM, "mount", "%s", source);
    if (type[0] == '\0') {
        fd = tsc_open_tree(AT_FDCWD, source, how);
        if (fd < 0)
            return tsc_fail(err, errno, "open_tree", "%s", source);
    } else {
        fd = tsc_new_mount(type, options, 0, err);
        if (fd < 0)
            return fd;
    }
    put_slot(launch, slot, fd);
    return 0;
}

/* In the namespace of the process: its links lead nowhere else, and are refused all the same. */
static int copy_mount(const char *path, struct tsc_err *err)
{
    struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
    struct mount_attr attr = { .propagation = MS_PRIVATE };
    TSC_AUTO_FD place = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
    TSC_AUTO_FD mount = -1;

    if (place < 0)
        return tsc_fail(err, errno, "openat2", "%s of the other container", path);
    mount = (int)syscall(SYS_open_tree, place, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (mount < 0 || syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
        return tsc_fail(err, errno, "open_tree", "%s of the other container", path);
    return tsc_steal_fd(&mount);
}

/* A mount of the process in slot `target`, e.g. its /dev/shm. */
int tsc_op_borrow_mount(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t slot = tsc_take_u32(payload);
    uint32_t target = tsc_take_u32(payload);
    const char *path = tsc_take_string(payload);
    TSC_AUTO_FD own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    TSC_AUTO_FD mount = -1;

    if (check_slot(slot, err) < 0)
        return -EINVAL;
    if (target >= TSC_MAX_TARGETS || launch->targets[target] < 0)
        return tsc_fail(err, EINVAL, "setns", "no process in slot %u", target);
    if (own < 0 || setns(launch->targets[target], CLONE_NEWNS) < 0)
        return tsc_fail(err, errno, "setns", "mount namespace of the other container");
    mount = copy_mount(path, err);
    if (setns(own, CLONE_NEWNS) < 0)
        return tsc_fail(err, errno, "setns", "back to the host's mounts");
    if (mount < 0)
        return -err->errnum;
    put_slot(launch, slot, tsc_steal_fd(&mount));
    return 0;
}

int tsc_op_mount_attributes(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t slot = tsc_take_u32(payload);
    uint64_t set = tsc_take_u64(payload);
    uint64_t clear = tsc_take_u64(payload);
    uint64_t propagation = tsc_take_u64(payload);
    bool recursive = tsc_take_u32(payload) != 0;
    uint32_t users = tsc_take_u32(payload);
    struct mount_attr attr = { .attr_set = set, .attr_clr = clear, .propagation = propagation };
    int fd = slot_fd(launch, slot, err);

    if (fd < 0)
        return fd;
    if (users != NO_NAMESPACE) {
        if (users >= TSC_MAX_TARGETS || launch->targets[users] < 0)
            return tsc_fail(err, EINVAL, "mount_setattr", "no user namespace in slot %u", users);
        attr.attr_set |= MOUNT_ATTR_IDMAP;
        attr.userns_fd = (uint64_t)(unsigned)launch->targets[users];
    }
    if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0u), &attr, sizeof(attr)) < 0)
        return tsc_fail(err, errno, "mount_setattr", "set 0x%llx clear 0x%llx propagation 0x%llx",
                        (unsigned long long)attr.attr_set, (unsigned long long)attr.attr_clr,
                        (unsigned long long)attr.propagation);
    return 0;
}

static int open_target(struct tsc_launch *launch, const char *path, bool directory, uint32_t flags, struct tsc_err *err)
{
    bool no_links = (flags & PLACE_NO_LINKS) != 0;
    char resolved[TAR_PATH_MAX + 2] = "/";
    int fd;

    if ((flags & PLACE_NO_FOLLOW) != 0 && !no_links) {
        fd = tsc_openat_in_root(launch->root_fd, path, O_PATH | O_NOFOLLOW, 0);
        if (fd >= 0 || fd != -ENOENT)
            return fd >= 0 ? fd : tsc_fail(err, -fd, "openat2", "%s", path);
    }
    fd = tsc_openat_in_root(launch->root_fd, path, O_PATH, 0);
    if (no_links || fd != -ENOENT) {
        tsc_close_p(&fd);
        return tsc_resolve_or_make(launch, path, directory ? 'd' : 'f', no_links, err);
    }
    /* Missing, maybe at the end of a link: what the link names is made. */
    if (layer_resolve(launch->root_fd, path + strspn(path, "/"), resolved + 1, err) < 0)
        return -err->errnum;
    return tsc_resolve_or_make(launch, resolved, directory ? 'd' : 'f', false, err);
}

static int copy_up(struct tsc_launch *launch, const char *path, int mount, struct tsc_err *err)
{
    TSC_AUTO_FD from = tsc_resolve(launch, path, O_RDONLY | O_DIRECTORY, false, err);
    TSC_AUTO_FD to = -1;

    if (from < 0)
        return from;
    to = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (to < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    return layer_copy_tree(from, to, err);
}

int tsc_op_place_mount(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t slot = tsc_take_u32(payload);
    const char *path = tsc_take_string(payload);
    uint32_t flags = tsc_take_u32(payload);
    int mount = slot_fd(launch, slot, err);
    struct stat made;
    struct stat below;
    TSC_AUTO_FD target = -1;

    if (mount < 0)
        return mount;
    if (fstat(mount, &made) < 0)
        return tsc_fail(err, errno, "fstat", "mount for %s", path);
    target = open_target(launch, path, S_ISDIR(made.st_mode), flags, err);
    if (target < 0)
        return target;
    if ((flags & PLACE_COPY_UP) != 0 && copy_up(launch, path, mount, err) < 0)
        return -err->errnum;
    if ((flags & PLACE_INHERIT_MODE) != 0 && fstat(target, &below) == 0 &&
        fchmodat(mount, ".", below.st_mode & 07777, 0) < 0)
        return tsc_fail(err, errno, "chmod", "root of the mount on %s", path);
    if (tsc_move_mount(mount, target) < 0)
        return tsc_fail(err, errno, "move_mount", "%s", path);
    return 0;
}

/* The container's root: put on a directory of the host (in the container's mount namespace) and taken by descriptor. */
int tsc_op_place_root(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t slot = tsc_take_u32(payload);
    const char *path = tsc_take_string(payload);
    int mount = slot_fd(launch, slot, err);
    TSC_AUTO_FD target = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (mount < 0)
        return mount;
    if (target < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    if (tsc_move_mount(mount, target) < 0)
        return tsc_fail(err, errno, "move_mount", "root on %s", path);
    mount = fcntl(mount, F_DUPFD_CLOEXEC, 3);
    return mount < 0 ? tsc_fail(err, errno, "fcntl", "root") : tsc_hold_root(launch, mount, err);
}

/* Device nodes made by the shim, for containers whose user namespace forbids mknod(2): in a file system of their own. */
int tsc_op_make_node_mount(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t slot = tsc_take_u32(payload);
    mode_t mode = (mode_t)tsc_take_u32(payload);
    unsigned major_number = tsc_take_u32(payload);
    unsigned minor_number = tsc_take_u32(payload);
    uid_t uid = tsc_take_u32(payload);
    gid_t gid = tsc_take_u32(payload);
    char *const options[] = { (char[]){ "nr_inodes=4" }, (char[]){ "mode=711" }, NULL };
    TSC_AUTO_FD device = -1;
    TSC_AUTO_FD files = tsc_new_mount("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);

    if (files < 0)
        return files;
    if (check_slot(slot, err) < 0)
        return -EINVAL;
    if (mknodat(files, "node", mode, makedev(major_number, minor_number)) < 0)
        return tsc_fail(err, errno, "mknod", "device %u:%u", major_number, minor_number);
    if (fchownat(files, "node", uid, gid, AT_SYMLINK_NOFOLLOW) < 0 || fchmodat(files, "node", mode & 07777, 0) < 0)
        return tsc_fail(err, errno, "chown", "device %u:%u", major_number, minor_number);
    device = tsc_open_tree(files, "node", OPEN_TREE_CLONE);
    if (device < 0)
        return tsc_fail(err, errno, "open_tree", "device %u:%u", major_number, minor_number);
    put_slot(launch, slot, tsc_steal_fd(&device));
    return 0;
}
