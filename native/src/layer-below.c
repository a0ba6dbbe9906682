/* The layers below, as the kernel sees them together. */
#include "erofs.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
enum { mount_read_only = 1 };

static bool is_index(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* errno says why not. */
static int add_layer(int context, const char *path, struct tsc_err *err)
{
    char link[32];
    int mount;

    if (!is_index(path))
        return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "lowerdir+", path, 0);
    mount = erofs_mount(path, err);
    if (mount < 0) {
        errno = err->errnum;
        return -1;
    }
    /* It stays open: a mount that is nowhere goes with its last descriptor, and the overlay is made later. */
    snprintf(link, sizeof(link), "/proc/self/fd/%d", mount);
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "lowerdir+", link, 0);
}

/* Linux 6.5: one call per directory, no limit on the length of all together. -errno is an answer. */
static int mount_by_fsconfig(int count, char **paths, bool user, struct tsc_err *err)
{
    TSC_AUTO_FD context = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
    int fd;

    if (context < 0)
        return -errno;
    for (int i = 0; i < count; i++)
        if (add_layer(context, paths[i], err) < 0)
            return -errno;
    /* One of them may be the upper directory of a container that runs. */
    if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "index", "off", 0) < 0)
        return -errno;
    if (user && syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
        return -errno;
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -errno;
    fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    return fd < 0 ? -errno : fd;
}

/* Before: all in one page of options, so the directories are named by descriptors, which are short. */
static int mount_by_option(int count, char **paths, bool user, struct tsc_err *err)
{
    char options[4096] = "index=off,lowerdir=";
    size_t length = strlen(options);
    bool made;
    int result = layer_unshare(&made, err);

    if (result < 0)
        return result;
    if (!made)
        return tsc_fail(err, EPERM, "unshare", "mount namespace");
    for (int i = 0; i < count; i++) {
        int fd = open(paths[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
            return tsc_fail(err, errno, "open", "%s", paths[i]);
        length += (size_t)snprintf(options + length, sizeof(options) - length, "%s/proc/self/fd/%d", i > 0 ? ":" : "", fd);
        if (length >= sizeof(options) - sizeof(",userxattr"))
            return tsc_fail(err, E2BIG, "mount", "%d layers", count);
    }
    if (user)
        memcpy(options + length, ",userxattr", sizeof(",userxattr"));
    if (mount("overlay", paths[0], "overlay", mount_read_only, options) < 0)
        return tsc_fail(err, errno, "mount", "overlay of %d layers", count);
    return layer_open_directory(paths[0], err);
}

int layer_mount_below(int count, char **paths, bool user, struct tsc_err *err)
{
    int fd;

    if (count == 1) /* overlayfs wants two, and one is no overlay */
        return is_index(paths[0]) ? erofs_mount(paths[0], err) : layer_open_directory(paths[0], err);
    fd = mount_by_fsconfig(count, paths, user, err);
    return fd == -ENOSYS || fd == -EINVAL ? mount_by_option(count, paths, user, err)
           : fd < 0                       ? tsc_fail(err, -fd, "fsconfig", "overlay of %d layers", count)
                                          : fd;
}
