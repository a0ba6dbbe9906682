/* Mounts below the container's root: new file systems, binds, masks. Targets are resolved in the root, then held by fd. */
#include "launch.h"
#include "mount-api.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define TARGET_NO_LINKS 1u /* the target's path must hold no symbolic link: /proc, /sys, /dev (CVE-2019-19921) */

int tsc_new_mount(const char *type, char *const *options, unsigned attributes, struct tsc_err *err)
{
    TSC_AUTO_FD fs = tsc_fsopen(type);
    TSC_AUTO_FD mount = -1;

    if (fs < 0)
        return tsc_fail(err, errno, "fsopen", "%s", type);
    for (; *options != NULL; options++) {
        char key[64];
        const char *equals = strchr(*options, '=');
        size_t size = equals == NULL ? strlen(*options) : (size_t)(equals - *options);

        if (size >= sizeof(key))
            return tsc_fail(err, EINVAL, "fsconfig", "%s option '%s'", type, *options);
        memcpy(key, *options, size);
        key[size] = '\0';
        if (tsc_fsconfig(fs, equals == NULL ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, key,
                         equals == NULL ? NULL : equals + 1) < 0)
            return tsc_fail(err, errno, "fsconfig", "%s option '%s'", type, *options);
    }
    if (tsc_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
        return tsc_fail(err, errno, "fsconfig", "create %s", type);
    mount = tsc_fsmount(fs, attributes);
    if (mount < 0)
        return tsc_fail(err, errno, "fsmount", "%s", type);
    return tsc_steal_fd(&mount);
}

/* A link of the image could lead a mount onto the root itself, where it would not be seen or hide everything. */
static int refuse_root(struct tsc_launch *launch, int target, const char *path, struct tsc_err *err)
{
    struct stat status;

    if (fstat(target, &status) < 0)
        return tsc_fail(err, errno, "fstat", "%s", path);
    if (launch->root_device == status.st_dev && launch->root_inode == status.st_ino)
        return tsc_fail(err, EINVAL, "mount", "%s is the root of the container", path);
    return 0;
}

int tsc_op_mount(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *type = tsc_take_string(payload);
    const char *path = tsc_take_string(payload);
    size_t count = 0;
    TSC_AUTO_FREE char **options = tsc_take_list(payload, 0, &count);
    uint64_t attributes = tsc_take_u64(payload);
    uint32_t flags = tsc_take_u32(payload);
    TSC_AUTO_FD target = tsc_resolve_or_make(launch, path, 'd', (flags & TARGET_NO_LINKS) != 0, err);
    TSC_AUTO_FD mount = -1;

    if (target < 0)
        return target;
    if (refuse_root(launch, target, path, err) < 0)
        return -err->errnum;
    if (options == NULL)
        return tsc_fail(err, ENOMEM, "mount", "%s", path);
    mount = tsc_new_mount(type, options, (unsigned)attributes, err);
    if (mount < 0)
        return mount;
    if (tsc_move_mount(mount, target) < 0)
        return tsc_fail(err, errno, "move_mount", "%s on %s", type, path);
    return 0;
}

static int bind_source(const char *source, bool recursive, uint64_t set, uint64_t clear, struct tsc_err *err)
{
    unsigned deep = recursive ? AT_RECURSIVE : 0;
    TSC_AUTO_FD mount = tsc_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | deep);

    if (mount < 0)
        return tsc_fail(err, errno, "open_tree", "%s", source);
    /* What comes from the host never propagates back to it. */
    if (tsc_mount_setattr(mount, "", AT_EMPTY_PATH | deep, set, clear, MS_PRIVATE) < 0)
        return tsc_fail(err, errno, "mount_setattr", "%s", source);
    return tsc_steal_fd(&mount);
}

int tsc_op_bind(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *source = tsc_take_string(payload);
    const char *path = tsc_take_string(payload);
    bool recursive = tsc_take_u32(payload) != 0;
    uint64_t set = tsc_take_u64(payload);
    uint64_t clear = tsc_take_u64(payload);
    bool file = tsc_take_u32(payload) != 0;
    TSC_AUTO_FD mount = bind_source(source, recursive, set, clear, err);
    TSC_AUTO_FD target = -1;

    if (mount < 0)
        return mount;
    target = tsc_resolve_or_make(launch, path, file ? 'f' : 'd', false, err);
    if (target < 0)
        return target;
    if (refuse_root(launch, target, path, err) < 0)
        return -err->errnum;
    if (tsc_move_mount(mount, target) < 0)
        return tsc_fail(err, errno, "move_mount", "%s on %s", source, path);
    return 0;
}

/* The container's own /dev/null, proved to be the real one: an image or a neighbour may have swapped it (CVE-2025-31133). */
static int open_null(struct tsc_launch *launch, struct tsc_err *err)
{
    TSC_AUTO_FD fd = tsc_resolve(launch, "/dev/null", O_PATH | O_NOFOLLOW, true, err);
    struct stat status;

    if (fd < 0)
        return fd;
    if (fstat(fd, &status) < 0)
        return tsc_fail(err, errno, "fstat", "/dev/null");
    if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
        return tsc_fail(err, ENODEV, "mask", "/dev/null of the container is not the null device");
    return tsc_steal_fd(&fd);
}

int tsc_op_mask(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    char *const options[] = { (char[]){ "nr_blocks=1" }, NULL };
    TSC_AUTO_FD target = tsc_resolve(launch, path, O_PATH | O_NOFOLLOW, false, err);
    TSC_AUTO_FD mount = -1;
    struct stat status;

    if (target == -ENOENT || target == -ENOTDIR) { /* not on this kernel: nothing to hide */
        *err = (struct tsc_err){ 0 };
        return 0;
    }
    if (target < 0)
        return target;
    if (fstat(target, &status) < 0)
        return tsc_fail(err, errno, "fstat", "%s", path);
    if (S_ISDIR(status.st_mode)) {
        mount = tsc_new_mount("tmpfs", options, MOUNT_ATTR_RDONLY, err);
    } else {
        TSC_AUTO_FD null = open_null(launch, err);

        if (null < 0)
            return null;
        mount = tsc_open_tree(null, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
        if (mount < 0)
            return tsc_fail(err, errno, "open_tree", "/dev/null");
    }
    if (mount < 0)
        return mount;
    if (tsc_move_mount(mount, target) < 0)
        return tsc_fail(err, errno, "move_mount", "mask of %s", path);
    return 0;
}

int tsc_op_readonly_path(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    TSC_AUTO_FD target = tsc_resolve(launch, path, O_PATH | O_NOFOLLOW, false, err);
    TSC_AUTO_FD mount = -1;

    if (target == -ENOENT || target == -ENOTDIR) {
        *err = (struct tsc_err){ 0 };
        return 0;
    }
    if (target < 0)
        return target;
    mount = tsc_open_tree(target, "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH);
    if (mount < 0)
        return tsc_fail(err, errno, "open_tree", "%s", path);
    if (tsc_mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0, 0) < 0)
        return tsc_fail(err, errno, "mount_setattr", "read-only %s", path);
    if (tsc_move_mount(mount, target) < 0)
        return tsc_fail(err, errno, "move_mount", "read-only %s", path);
    return 0;
}
