/*
 * The directory that the writer is in. Archives list a directory's members together, so one open directory saves
 * resolving most paths; and because its mtime is put back when it is left, no list of directories has to be kept until
 * the end of the archive.
 */
#include "layer.h"

#include <fcntl.h>
#include <string.h>

int layer_leave(struct layer_parent *parent)
{
    int result = 0;

    if (parent->fd >= 0) {
        if (!parent->plain)
            result = layer_set_mtime(parent->fd, parent->mtime, parent->err);
        tsc_close_p(&parent->fd);
    }
    return result;
}

/* Creates `name` in `directory` without a trace in the directory's mtime. */
static int make_implicit(struct layer_parent *parent, int directory, const char *name, const char *path)
{
    /* The owner is given explicitly: a set-gid directory would pass on its group. Time 0: same archive, same tree. */
    struct layer_attributes attributes = { .uid = geteuid(), .gid = getegid(), .mode = 0755 };
    struct layer_object object = { -1, directory, name };
    struct stat above, made;
    int result;

    if (fstat(directory, &above) < 0 || mkdirat(directory, name, 0755) < 0)
        return tsc_fail(parent->err, errno, "mkdirat", "%s", path);
    if ((result = layer_set_owner(object, &attributes, parent->err)) < 0 ||
        (result = layer_set_mode_and_time(object, &attributes, true, parent->err)) < 0 ||
        (result = layer_set_mtime(directory, above.st_mtim, parent->err)) < 0)
        return result;
    if (fstatat(directory, name, &made, AT_SYMLINK_NOFOLLOW) < 0)
        return tsc_fail(parent->err, errno, "fstatat", "%s", path);
    return layer_implicit_add(&made, path, parent->err);
}

/* A whiteout came before the entries below it: the new directory must not show what it hid. */
static int replace_whiteout(struct layer_parent *parent, int directory, const char *name, const char *path)
{
    TSC_AUTO_FD fd = -1;
    int result;

    if (unlinkat(directory, name, 0) < 0)
        return tsc_fail(parent->err, errno, "unlinkat", "%s", path);
    if ((result = make_implicit(parent, directory, name, path)) < 0)
        return result;
    fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return tsc_fail(parent->err, errno, "openat", "%s", path);
    return layer_mark_opaque(fd, WHITEOUTS_OVERLAY, parent->opaque, parent->err);
}

static int make_component(struct layer_parent *parent, int directory, const char *name, const char *path)
{
    struct stat status;

    if (layer_is_reserved(name))
        return tar_bad(parent->err, "a link leads to a whiteout");
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? make_implicit(parent, directory, name, path)
                               : tsc_fail(parent->err, errno, "fstatat", "%s", path);
    if (layer_is_whiteout(&status))
        return replace_whiteout(parent, directory, name, path);
    return S_ISDIR(status.st_mode) ? 0 : tsc_fail(parent->err, ENOTDIR, "openat2", "%s", path);
}

/* Creates what is missing of `path`: also where a link points to. Returns an fd. */
static int make_path(struct layer_parent *parent, const char *path)
{
    char resolved[TAR_PATH_MAX + 1];
    TSC_AUTO_FD fd = layer_open_below(parent->root, "", O_RDONLY);
    int result = fd < 0 ? tsc_fail(parent->err, -fd, "openat2", ".") : 0;

    if (result == 0)
        result = layer_resolve(parent->root, path, resolved, parent->err);
    for (char *at = resolved; result == 0 && *at != 0;) {
        char *slash = strchrnul(at, '/');
        char saved = *slash;
        int next;

        *slash = 0;
        if ((result = make_component(parent, fd, at, resolved)) < 0)
            return result;
        next = openat(fd, at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return tsc_fail(parent->err, errno, "openat", "%s", resolved);
        tsc_close_p(&fd);
        fd = next;
        *slash = saved;
        at = saved == 0 ? slash : slash + 1;
    }
    return result < 0 ? result : tsc_steal_fd(&fd);
}

int layer_enter(struct layer_parent *parent, const char *path)
{
    struct stat status;
    int result;

    if (parent->fd >= 0 && strcmp(parent->path, path) == 0)
        return 0;
    if ((result = layer_leave(parent)) < 0)
        return result;
    parent->fd = layer_open_below(parent->root, path, O_RDONLY);
    if (parent->fd == -ENOENT || parent->fd == -ENOTDIR)
        parent->fd = make_path(parent, path);
    if (parent->fd < 0) {
        result = parent->fd;
        parent->fd = -1;
        return tsc_fail(parent->err, -result, "openat2", "%s", path);
    }
    if (fstat(parent->fd, &status) < 0)
        return tsc_fail(parent->err, errno, "fstat", "%s", path);
    parent->mtime = status.st_mtim;
    memcpy(parent->path, path, strlen(path) + 1);
    return 0;
}
