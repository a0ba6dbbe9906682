/* The root of the container's file system: mounted, and made the root. */
#include "erofs.h"
#include "launch.h"
#include "mount-api.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OLD_OPTIONS_SIZE 4096 /* mount(2) takes one page of options */

int tsc_op_propagation(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t flags = tsc_take_u32(payload);

    (void)launch;
    if (tsc_mount(NULL, "/", NULL, flags, NULL) < 0)
        return tsc_fail(err, errno, "mount", "propagation 0x%x on /", flags);
    return 0;
}

int tsc_hold_root(struct tsc_launch *launch, int fd, struct tsc_err *err)
{
    struct stat status;

    tsc_close_p(&launch->root_fd);
    launch->root_fd = fd;
    if (fstat(fd, &status) < 0)
        return tsc_fail(err, errno, "fstat", "root");
    launch->root_device = status.st_dev;
    launch->root_inode = status.st_ino;
    return 0;
}

/* From here on every path of the container is resolved below this directory. */
static int take_root(struct tsc_launch *launch, const char *target, struct tsc_err *err)
{
    int fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? tsc_fail(err, errno, "open", "%s", target) : tsc_hold_root(launch, fd, err);
}

static int attach(int mount, const char *target, struct tsc_err *err)
{
    TSC_AUTO_FD directory = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0)
        return tsc_fail(err, errno, "open", "%s", target);
    return tsc_move_mount(mount, directory) < 0 ? tsc_fail(err, errno, "move_mount", "root on %s", target) : 0;
}

static int set_option(int fs, const char *key, const char *value, struct tsc_err *err)
{
    unsigned command = value == NULL ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;

    if (tsc_fsconfig(fs, command, key, value) < 0)
        return tsc_fail(err, errno, "fsconfig", "overlay %s=%s", key, value == NULL ? "" : value);
    return 0;
}

/* Directories are handed over as /proc/self/fd/N: a string option of fsconfig(2) ends at 255 bytes. */
static int set_directory(int fs, const char *key, const char *path, struct tsc_err *err)
{
    char link[32];
    TSC_AUTO_FD directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = directory;

    /* A mount that is nowhere goes with its last descriptor, and the overlay is made later: it stays open until exec. */
    if (fd < 0 && errno == ENOTDIR)
        fd = erofs_mount(path, err);
    if (fd < 0)
        return err->errnum != 0 ? -err->errnum : tsc_fail(err, errno, "open", "%s", path);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (tsc_fsconfig(fs, FSCONFIG_SET_STRING, key, link) < 0)
        return tsc_fail(err, errno, "fsconfig", "overlay %s=%s", key, path);
    return 0;
}

/* Since Linux 6.7 each lower directory is an option of its own. */
static int new_overlay(char *const *lower, const char *upper, const char *work, uint32_t flags, struct tsc_err *err)
{
    TSC_AUTO_FD fs = tsc_fsopen("overlay");
    TSC_AUTO_FD mount = -1;

    if (fs < 0)
        return tsc_fail(err, errno, "fsopen", "overlay");
    for (; *lower != NULL; lower++)
        if (set_directory(fs, "lowerdir+", *lower, err) < 0)
            return -err->errnum;
    if (set_directory(fs, "upperdir", upper, err) < 0 || set_directory(fs, "workdir", work, err) < 0)
        return -err->errnum;
    /* Without redirections the upper directory holds what has changed, and nothing else. */
    if (set_option(fs, "index", "off", err) < 0 || set_option(fs, "metacopy", "off", err) < 0 ||
        set_option(fs, "redirect_dir", "off", err) < 0)
        return -err->errnum;
    if ((flags & TSC_OVERLAY_VOLATILE) != 0 && set_option(fs, "volatile", NULL, err) < 0)
        return -err->errnum;
    if ((flags & TSC_OVERLAY_USER_XATTR) != 0 && set_option(fs, "userxattr", NULL, err) < 0)
        return -err->errnum;
    if (tsc_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
        return tsc_fail(err, errno, "fsconfig", "create the overlay of %s", upper);
    mount = tsc_fsmount(fs, 0);
    if (mount < 0)
        return tsc_fail(err, errno, "fsmount", "overlay of %s", upper);
    return tsc_steal_fd(&mount);
}

/*
 * What a failure of new_overlay() says about the kernel. Linux 6.5 and 6.6 refuse the option. Before that overlay takes
 * any option as text and refuses it when the file system is created, where EINVAL can have other causes: a made-up
 * option tells.
 */
static bool is_before_6_7(const struct tsc_err *failure)
{
    TSC_AUTO_FD fs = -1;

    if (failure->errnum != EINVAL)
        return false;
    if (strstr(failure->detail, "lowerdir+") != NULL)
        return true;
    fs = tsc_fsopen("overlay");
    return fs >= 0 && tsc_fsconfig(fs, FSCONFIG_SET_FLAG, "no-such-option", NULL) == 0;
}

/* Opens a directory that stays open, and appends its number to the options after `prefix`. */
static int append_directory(char *options, size_t *used, const char *prefix, const char *path, struct tsc_err *err)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int length;

    if (fd < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    length = snprintf(options + *used, OLD_OPTIONS_SIZE - *used, "%s%d", prefix, fd);
    if ((size_t)length >= OLD_OPTIONS_SIZE - *used)
        return tsc_fail(err, E2BIG, "mount", "too many layers for this kernel (Linux 6.7 has no such bound)");
    *used += (size_t)length;
    return 0;
}

/*
 * Directories are named by their descriptors, relative to /proc/self/fd: some 800 of these names fit into the one page
 * of options, and none needs to be escaped. The descriptors go with exec.
 */
static int mount_overlay_before_6_7(char *const *lower, const char *upper, const char *work, const char *target,
                                    uint32_t flags, struct tsc_err *err)
{
    char options[OLD_OPTIONS_SIZE];
    size_t used = (size_t)snprintf(options, sizeof(options), "index=off,metacopy=off,redirect_dir=off%s%s",
                                   (flags & TSC_OVERLAY_VOLATILE) != 0 ? ",volatile" : "",
                                   (flags & TSC_OVERLAY_USER_XATTR) != 0 ? ",userxattr" : "");

    for (size_t i = 0; lower[i] != NULL; i++)
        if (append_directory(options, &used, i == 0 ? ",lowerdir=" : ":", lower[i], err) < 0)
            return -err->errnum;
    if (append_directory(options, &used, ",upperdir=", upper, err) < 0 ||
        append_directory(options, &used, ",workdir=", work, err) < 0)
        return -err->errnum;
    if (chdir("/proc/self/fd") < 0)
        return tsc_fail(err, errno, "chdir", "/proc/self/fd");
    if (tsc_mount("overlay", target, "overlay", 0, options) < 0)
        return tsc_fail(err, errno, "mount", "overlay on %s", target);
    return 0;
}

int tsc_mount_overlay(char *const *lower, const char *upper, const char *work, const char *target, uint32_t flags,
                      struct tsc_err *err)
{
    struct tsc_err first = { 0 };
    TSC_AUTO_FD mount = new_overlay(lower, upper, work, flags, &first);

    if (mount >= 0)
        return attach(mount, target, err);
    if (is_before_6_7(&first))
        return mount_overlay_before_6_7(lower, upper, work, target, flags, err);
    *err = first;
    return mount;
}

int tsc_op_overlay_root(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    size_t count = 0;
    TSC_AUTO_FREE char **lower = tsc_take_list(payload, 0, &count);
    const char *upper = tsc_take_string(payload);
    const char *work = tsc_take_string(payload);
    const char *target = tsc_take_string(payload);
    uint32_t flags = tsc_take_u32(payload);

    if (lower == NULL || count == 0)
        return tsc_fail(err, lower == NULL ? ENOMEM : EINVAL, "overlay", "no layers");
    if (tsc_mount_overlay(lower, upper, work, target, flags, err) < 0)
        return -err->errnum;
    return take_root(launch, target, err);
}

/* An empty file system in memory for what a root gets beside its layers. It is the container's, and goes with it. */
int tsc_op_scratch(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *target = tsc_take_string(payload);
    char *const options[] = { (char[]){ "mode=700" }, NULL };
    TSC_AUTO_FD mount = tsc_new_mount("tmpfs", options, 0, err);

    (void)launch;
    if (mount < 0)
        return mount;
    if (mkdirat(mount, "upper", 0755) < 0 || mkdirat(mount, "work", 0700) < 0)
        return tsc_fail(err, errno, "mkdir", "in the file system for %s", target);
    return attach(mount, target, err);
}

int tsc_op_bind_root(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *source = tsc_take_string(payload);
    const char *target = tsc_take_string(payload);
    TSC_AUTO_FD mount = tsc_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE);

    if (mount < 0)
        return tsc_fail(err, errno, "open_tree", "%s", source);
    return attach(mount, target, err) < 0 ? -err->errnum : take_root(launch, target, err);
}

int tsc_op_use_root(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    return take_root(launch, tsc_take_string(payload), err);
}

int tsc_op_pivot_root(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)payload;
    if (fchdir(launch->root_fd) < 0)
        return tsc_fail(err, errno, "fchdir", "container root");
    /* Both at "." stacks the old root on top of the new one, so that no directory for it is needed: pivot_root(2). */
    if (syscall(SYS_pivot_root, ".", ".") < 0)
        return tsc_fail(err, errno, "pivot_root", "container root");
    if (syscall(SYS_umount2, ".", MNT_DETACH) < 0)
        return tsc_fail(err, errno, "umount", "old root");
    if (chdir("/") < 0)
        return tsc_fail(err, errno, "chdir", "/");
    return 0;
}

int tsc_op_readonly_root(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)payload;
    if (tsc_mount_setattr(launch->root_fd, "", AT_EMPTY_PATH, MOUNT_ATTR_RDONLY, 0, 0) < 0)
        return tsc_fail(err, errno, "mount_setattr", "read-only root");
    return 0;
}

/* For roots that cannot be pivoted to, as on the kernel's first root file system: the mount is moved over "/". */
int tsc_op_change_root(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)payload;
    if (fchdir(launch->root_fd) < 0)
        return tsc_fail(err, errno, "fchdir", "container root");
    if (tsc_mount(".", "/", NULL, MS_MOVE, NULL) < 0)
        return tsc_fail(err, errno, "mount", "move of the container root to /");
    if (chroot(".") < 0 || chdir("/") < 0)
        return tsc_fail(err, errno, "chroot", "container root");
    return 0;
}
