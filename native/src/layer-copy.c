/* Copies files and trees with everything they have: holes, hard links, extended attributes, devices, times. */
#include "layer.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <search.h>
#include <string.h>
#include <sys/ioctl.h>

/* One name of a file with several, to link the others to. */
struct linked {
    dev_t device;
    ino_t inode;
    char path[];
};

struct copy {
    int to_root;
    void *links; /* of struct linked; grows with the number of files that have several names */
    char path[TAR_PATH_MAX + 1];
    struct tsc_err *err;
};

static int copy_by_hand(int from, int to, off_t offset, off_t end, struct tsc_err *err)
{
    static char buffer[256 * 1024];

    while (offset < end) {
        size_t want = end - offset < (off_t)sizeof(buffer) ? (size_t)(end - offset) : sizeof(buffer);
        ssize_t count = pread(from, buffer, want, offset);

        if (count <= 0)
            return tsc_fail(err, count < 0 ? errno : EIO, "pread", "content");
        for (ssize_t done = 0; done < count;) {
            ssize_t written = pwrite(to, buffer + done, (size_t)(count - done), offset + done);

            if (written < 0)
                return tsc_fail(err, errno, "pwrite", "content");
            done += written;
        }
        offset += count;
    }
    return 0;
}

static int copy_range(int from, int to, off_t offset, off_t end, struct tsc_err *err)
{
    while (offset < end) {
        off_t in = offset, out = offset;
        ssize_t count = copy_file_range(from, &in, to, &out, (size_t)(end - offset), 0);

        if (count < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS))
            return copy_by_hand(from, to, offset, end, err);
        if (count <= 0)
            return tsc_fail(err, count < 0 ? errno : EIO, "copy_file_range", "content");
        offset += count;
    }
    return 0;
}

int layer_copy_content(int from, int to, off_t size, struct tsc_err *err)
{
    off_t at = 0;

    if (size == 0 || ioctl(to, FICLONE, from) == 0)
        return 0;
    if (ftruncate(to, size) < 0)
        return tsc_fail(err, errno, "ftruncate", "content");
    while (at < size) {
        off_t data = lseek(from, at, SEEK_DATA), hole;
        int result;

        if (data < 0 && errno == ENXIO)
            return 0; /* a hole up to the end */
        if (data < 0)
            data = at; /* a file system that knows no holes */
        hole = lseek(from, data, SEEK_HOLE);
        if (hole < 0 || hole > size)
            hole = size;
        if ((result = copy_range(from, to, data, hole, err)) < 0)
            return result;
        at = hole;
    }
    return 0;
}

static int copy_file(int from_parent, const char *from, int to_parent, const char *to, const struct stat *status,
                     struct tsc_err *err)
{
    TSC_AUTO_FD in = openat(from_parent, from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    TSC_AUTO_FD out = -1;
    struct layer_attributes attributes;
    struct layer_object source, target;
    int result;

    if (in < 0)
        return tsc_fail(err, errno, "openat", "%s", from);
    out = openat(to_parent, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (out < 0)
        return tsc_fail(err, errno, "openat", "%s", to);
    source = (struct layer_object){ .fd = in };
    target = (struct layer_object){ .fd = out };
    layer_attributes_of(status, &attributes);
    if ((result = layer_copy_content(in, out, status->st_size, err)) < 0 ||
        (result = layer_set_owner(target, &attributes, err)) < 0 ||
        (result = layer_copy_xattrs(source, target, err)) < 0)
        return result;
    return layer_set_mode_and_time(target, &attributes, true, err);
}

static int make_node(int from_parent, const char *from, int to_parent, const char *to, const struct stat *status,
                     struct tsc_err *err)
{
    char target[TAR_PATH_MAX + 1];
    ssize_t size;

    if (!S_ISLNK(status->st_mode)) {
        dev_t device = S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode) ? status->st_rdev : 0;

        return mknodat(to_parent, to, status->st_mode, device) < 0 ? tsc_fail(err, errno, "mknodat", "%s", to) : 0;
    }
    size = readlinkat(from_parent, from, target, TAR_PATH_MAX);
    if (size < 0)
        return tsc_fail(err, errno, "readlinkat", "%s", from);
    target[size] = 0;
    return symlinkat(target, to_parent, to) < 0 ? tsc_fail(err, errno, "symlinkat", "%s", to) : 0;
}

int layer_copy_node(int from_parent, const char *from, int to_parent, const char *to, const struct stat *status,
                    struct tsc_err *err)
{
    struct layer_object source = { -1, from_parent, from }, target = { -1, to_parent, to };
    struct layer_attributes attributes;
    int result;

    if (S_ISREG(status->st_mode))
        return copy_file(from_parent, from, to_parent, to, status, err);
    layer_attributes_of(status, &attributes);
    if ((result = make_node(from_parent, from, to_parent, to, status, err)) < 0 ||
        (result = layer_set_owner(target, &attributes, err)) < 0 ||
        (result = layer_copy_xattrs(source, target, err)) < 0)
        return result;
    return layer_set_mode_and_time(target, &attributes, (status->st_mode & 07000) != 0 && !S_ISLNK(status->st_mode),
                                   err);
}

static int by_inode(const void *left, const void *right)
{
    const struct linked *a = left, *b = right;

    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    return a->inode < b->inode ? -1 : a->inode > b->inode ? 1 : 0;
}

/* Links to the copy of the same file if there is one (1); otherwise remembers this name (0). */
static int link_known(struct copy *copy, int to_parent, const char *name, const struct stat *status)
{
    size_t size = strlen(copy->path) + 1;
    struct linked *fresh = malloc(sizeof(*fresh) + size);
    struct linked **found;

    if (fresh == NULL)
        return tsc_fail(copy->err, ENOMEM, "malloc", "%s", name);
    fresh->device = status->st_dev;
    fresh->inode = status->st_ino;
    memcpy(fresh->path, copy->path, size);
    found = tsearch(fresh, &copy->links, by_inode);
    if (found != NULL && *found == fresh)
        return 0;
    free(fresh);
    if (found == NULL)
        return tsc_fail(copy->err, ENOMEM, "malloc", "%s", name);
    if (linkat(copy->to_root, (*found)->path, to_parent, name, 0) < 0)
        return tsc_fail(copy->err, errno, "linkat", "%s", copy->path);
    return 1;
}

static int copy_directory(struct copy *copy, int from, int to);

static int copy_child(struct copy *copy, int from, int to, const char *name)
{
    TSC_AUTO_FD below_from = -1;
    TSC_AUTO_FD below_to = -1;
    struct stat status;
    int result = 0;

    if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return tsc_fail(copy->err, errno, "fstatat", "%s", copy->path);
    if (!S_ISDIR(status.st_mode)) {
        if (status.st_nlink > 1 && (result = link_known(copy, to, name, &status)) != 0)
            return result < 0 ? result : 0;
        return layer_copy_node(from, name, to, name, &status, copy->err);
    }
    if (mkdirat(to, name, 0700) < 0)
        return tsc_fail(copy->err, errno, "mkdirat", "%s", copy->path);
    below_from = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below_from < 0)
        return tsc_fail(copy->err, errno, "openat", "%s", copy->path);
    below_to = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below_to < 0)
        return tsc_fail(copy->err, errno, "openat", "%s", copy->path);
    return copy_directory(copy, below_from, below_to);
}

static int push(struct copy *copy, size_t length, const char *name)
{
    size_t size = strlen(name);

    if (length + size + 2 > sizeof(copy->path))
        return tsc_fail(copy->err, ENAMETOOLONG, "openat", "%s", name);
    if (length > 0)
        copy->path[length++] = '/';
    memcpy(copy->path + length, name, size + 1);
    return 0;
}

static int copy_children(struct copy *copy, DIR *stream, int from, int to)
{
    size_t length = strlen(copy->path);
    int result = 0;

    while (result == 0) {
        struct dirent *entry;

        errno = 0;
        entry = readdir(stream);
        if (entry == NULL)
            return errno != 0 ? tsc_fail(copy->err, errno, "readdir", "%s", copy->path) : 0;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if ((result = push(copy, length, entry->d_name)) == 0)
            result = copy_child(copy, from, to, entry->d_name);
        if (result == 0)
            copy->path[length] = 0;
    }
    return result;
}

static int copy_directory(struct copy *copy, int from, int to)
{
    DIR *stream;
    struct stat status;
    int duplicate, result;

    if (fstat(from, &status) < 0)
        return tsc_fail(copy->err, errno, "fstat", "%s", copy->path);
    duplicate = fcntl(from, F_DUPFD_CLOEXEC, 0);
    stream = duplicate < 0 ? NULL : fdopendir(duplicate);
    if (stream == NULL) {
        result = tsc_fail(copy->err, errno, "fdopendir", "%s", copy->path);
        tsc_close_p(&duplicate);
        return result;
    }
    result = copy_children(copy, stream, from, to);
    closedir(stream);
    return result < 0 ? result : layer_copy_directory_attributes(from, &status, to, copy->err);
}

int layer_copy_tree(int from, int to, struct tsc_err *err)
{
    struct copy copy = { .to_root = to, .err = err };

    return copy_directory(&copy, from, to);
}
