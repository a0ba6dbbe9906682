/* Removal of trees of any depth with a bounded number of descriptors. */
#include "layer.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

/* Deeper directories are moved up to the top and removed from there. */
enum { depth_max = 100 };

struct removal {
    int top;
    unsigned moved;
    struct tsc_err *err;
};

static int remove_in(struct removal *removal, int directory, unsigned depth);

static int open_directory(int parent, const char *name)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent, name, flags);

    if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
        fd = openat(parent, name, flags); /* it is ours, but its mode shuts us out: rootless only */
    return fd < 0 ? -errno : fd;
}

static int move_up(struct removal *removal, int parent, const char *name)
{
    char fresh[32];

    for (;;) {
        snprintf(fresh, sizeof(fresh), ".tsc-remove-%u", removal->moved++);
        if (syscall(SYS_renameat2, parent, name, removal->top, fresh, 1u /* RENAME_NOREPLACE */) == 0)
            return 0;
        if (errno != EEXIST)
            return tsc_fail(removal->err, errno, "renameat2", "%s", name);
    }
}

static int remove_directory(struct removal *removal, int parent, const char *name, unsigned depth)
{
    TSC_AUTO_FD fd = -1;
    int result;

    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0; /* most directories of a container that has written nothing are empty */
    if (errno == EACCES && fchmod(parent, 0700) == 0 && unlinkat(parent, name, AT_REMOVEDIR) == 0)
        return 0;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return tsc_fail(removal->err, errno == ENOTDIR ? EPERM : errno, "rmdir", "%s", name);
    if (depth >= depth_max)
        return move_up(removal, parent, name);
    fd = open_directory(parent, name);
    if (fd < 0)
        return tsc_fail(removal->err, fd == -ENOTDIR ? EPERM : -fd, "unlinkat", "%s", name);
    result = remove_in(removal, fd, depth + 1);
    if (result < 0)
        return result;
    if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return tsc_fail(removal->err, errno, "rmdir", "%s", name);
    return 0;
}

static int remove_one(struct removal *removal, int parent, const char *name, unsigned char type, unsigned depth)
{
    if (type == DT_DIR)
        return remove_directory(removal, parent, name, depth);
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno == EACCES && fchmod(parent, 0700) == 0 && unlinkat(parent, name, 0) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM) /* EPERM: POSIX's word for a directory */
        return tsc_fail(removal->err, errno, "unlinkat", "%s", name);
    return remove_directory(removal, parent, name, depth);
}

/* Entries as getdents64(2) gives them: the C library's reader would take a larger buffer from the heap at every level. */
static int remove_in(struct removal *removal, int directory, unsigned depth)
{
    char buffer[4096] __attribute__((aligned(8)));
    int result = 0;

    if (lseek(directory, 0, SEEK_SET) < 0)
        return tsc_fail(removal->err, errno, "lseek", "directory");
    while (result == 0) {
        long size = syscall(SYS_getdents64, directory, buffer, sizeof(buffer));

        if (size < 0)
            return tsc_fail(removal->err, errno, "getdents64", "directory");
        if (size == 0)
            break;
        for (long at = 0; at < size && result == 0;) {
            const struct dirent64 *entry = (const struct dirent64 *)(const void *)(buffer + at);

            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                result = remove_one(removal, directory, entry->d_name, entry->d_type, depth);
            at += entry->d_reclen;
        }
    }
    return result;
}

int layer_remove_children(int directory, struct tsc_err *err)
{
    struct removal removal = { .top = directory, .err = err };
    unsigned before;
    int result;

    do { /* what was moved up may have come behind the reader */
        before = removal.moved;
        result = remove_in(&removal, directory, 1);
    } while (result == 0 && removal.moved != before);
    return result;
}

int layer_remove(int parent, const char *name, struct tsc_err *err)
{
    TSC_AUTO_FD fd = -1;
    int result;

    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return tsc_fail(err, errno, "unlinkat", "%s", name);
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
        return 0;
    fd = open_directory(parent, name);
    if (fd < 0)
        return tsc_fail(err, -fd, "openat", "%s", name);
    if ((result = layer_remove_children(fd, err)) < 0)
        return result;
    if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return tsc_fail(err, errno, "rmdir", "%s", name);
    return 0;
}
