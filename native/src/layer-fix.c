/*
 * fix-layer [--user] [--sync] LAYER LOWER...: completes an unpacked layer by what it takes from the layers below it,
 * topmost first. Directories that it merely implies get the attributes that they have below; if they are links below,
 * their content moves to where the links lead. Hard links into lower layers become a copy of the file with both names.
 *
 * The layers below are looked at through a read-only overlay mount that has no name anywhere.
 */
#include "layer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { moves_max = 64 }; /* links to directories that an archive writes through; real ones have a handful */

struct fix {
    int layer, below;
    struct {
        char *from, *to; /* owned; the process ends soon */
    } moves[moves_max];
    unsigned move_count;
    char path[TAR_PATH_MAX + 1];
    struct tsc_err *err;
};

/* A path of the archive, after the moves so far. */
static int current_path(struct fix *fix, const char *path)
{
    char next[2 * TAR_PATH_MAX + 2];

    snprintf(fix->path, sizeof(fix->path), "%s", path);
    for (unsigned i = 0; i < fix->move_count; i++) {
        size_t length = strlen(fix->moves[i].from);

        if (strncmp(fix->path, fix->moves[i].from, length) != 0 ||
            (fix->path[length] != '/' && fix->path[length] != 0))
            continue;
        snprintf(next, sizeof(next), "%s%s", fix->moves[i].to, fix->path + length);
        if (strlen(next) > TAR_PATH_MAX)
            return tsc_fail(fix->err, ENAMETOOLONG, "openat2", "%s", path);
        snprintf(fix->path, sizeof(fix->path), "%s", next + (next[0] == '/' ? 1 : 0));
    }
    return 0;
}

static int copy_from_below(struct fix *fix, const char *path, int to)
{
    TSC_AUTO_FD from = layer_open_below(fix->below, path, O_RDONLY);
    struct stat status;

    if (from < 0)
        return tsc_fail(fix->err, -from, "openat2", "%s", path);
    if (fstat(from, &status) < 0)
        return tsc_fail(fix->err, errno, "fstat", "%s", path);
    return layer_copy_directory_attributes(from, &status, to, fix->err);
}

/* Opens `path` (no links in it) in the layer; what is missing is made, like the directories below. Returns an fd. */
static int enter_like_below(struct fix *fix, char *path)
{
    TSC_AUTO_FD fd = layer_open_below(fix->layer, "", O_RDONLY);
    int result = fd < 0 ? tsc_fail(fix->err, -fd, "openat2", ".") : 0;

    for (char *at = path; result == 0 && *at != 0;) {
        char *slash = strchrnul(at, '/');
        char saved = *slash;
        bool made;
        struct stat above;
        int next;

        *slash = 0;
        if (fstat(fd, &above) < 0)
            return tsc_fail(fix->err, errno, "fstat", "%s", path);
        made = mkdirat(fd, at, 0700) == 0;
        next = openat(fd, at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return tsc_fail(fix->err, errno, "openat", "%s", path);
        if (made && (result = copy_from_below(fix, path, next)) == 0)
            result = layer_set_mtime(fd, above.st_mtim, fix->err);
        tsc_close_p(&fd);
        fd = next;
        *slash = saved;
        at = saved == 0 ? slash : slash + 1;
    }
    return result < 0 ? result : tsc_steal_fd(&fd);
}

/* Opens the directory that holds `path` in the layer; `*name` is the last component, in `buffer`. */
static int open_parent(struct fix *fix, const char *path, char *buffer, const char **name)
{
    const char *directory;
    int fd;

    layer_split(path, buffer, &directory, name);
    fd = layer_open_below(fix->layer, directory, O_RDONLY);
    return fd < 0 ? tsc_fail(fix->err, -fd, "openat2", "%s", path) : fd;
}

/* `path` is a directory in the layer and a link to the directory `target` below. */
static int move_to_target(struct fix *fix, const char *path, char *target)
{
    char buffer[TAR_PATH_MAX + 1];
    const char *name;
    TSC_AUTO_FD parent = open_parent(fix, path, buffer, &name);
    TSC_AUTO_FD from = -1;
    TSC_AUTO_FD to = parent < 0 ? -1 : enter_like_below(fix, target);
    struct stat above, inside;
    int result;

    if (parent < 0 || to < 0)
        return -fix->err->errnum;
    from = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (from < 0 || fstat(parent, &above) < 0 || fstat(to, &inside) < 0)
        return tsc_fail(fix->err, errno, "openat", "%s", path);
    if (fix->move_count == moves_max)
        return tar_bad(fix->err, "more than %d links to directories are written through", (int)moves_max);
    fix->moves[fix->move_count].from = strdup(path);
    fix->moves[fix->move_count].to = strdup(target);
    if (fix->moves[fix->move_count].from == NULL || fix->moves[fix->move_count].to == NULL)
        return tsc_fail(fix->err, ENOMEM, "strdup", "%s", path);
    fix->move_count++;
    if ((result = layer_move_children(from, to, fix->err)) < 0)
        return result;
    if (unlinkat(parent, name, AT_REMOVEDIR) < 0)
        return tsc_fail(fix->err, errno, "unlinkat", "%s", path);
    if ((result = layer_set_mtime(parent, above.st_mtim, fix->err)) < 0)
        return result;
    return layer_set_mtime(to, inside.st_mtim, fix->err);
}

static int fix_directory(struct fix *fix)
{
    char buffer[TAR_PATH_MAX + 1], target[TAR_PATH_MAX + 1];
    const char *directory, *name;
    TSC_AUTO_FD above = -1;
    TSC_AUTO_FD here = layer_open_below(fix->layer, fix->path, O_RDONLY | O_NOFOLLOW);
    struct stat status;
    int result;

    if (here == -ENOENT || here == -ENOTDIR || here == -ELOOP)
        return 0; /* a later entry took its place */
    if (here < 0)
        return tsc_fail(fix->err, -here, "openat2", "%s", fix->path);
    layer_split(fix->path, buffer, &directory, &name);
    above = layer_open_below(fix->below, directory, O_PATH);
    if (above < 0 || fstatat(above, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0; /* not below: it stays as it was made */
    if (S_ISDIR(status.st_mode))
        return copy_from_below(fix, fix->path, here);
    if (!S_ISLNK(status.st_mode))
        return 0;
    if ((result = layer_resolve(fix->below, fix->path, target, fix->err)) < 0)
        return result;
    tsc_close_p(&above);
    above = layer_open_below(fix->below, target, O_PATH);
    if (above < 0)
        return 0; /* the link leads nowhere: the directory takes its place */
    return move_to_target(fix, fix->path, target);
}

/* Brings the file that a hard link means into the layer, under its own name. Returns its directory there. */
static int bring_target(struct fix *fix, const char *target, char *buffer, const char **name)
{
    char resolved[TAR_PATH_MAX + 1];
    const char *directory;
    TSC_AUTO_FD from = -1;
    TSC_AUTO_FD to = -1;
    struct stat status, there, above;
    int result;

    layer_split(target, buffer, &directory, name);
    to = layer_open_below(fix->layer, directory, O_RDONLY);
    if (to >= 0 && fstatat(to, *name, &there, AT_SYMLINK_NOFOLLOW) == 0 && !layer_is_whiteout(&there))
        return tsc_steal_fd(&to); /* itself such a link, made a moment ago */
    tsc_close_p(&to);
    if ((result = layer_resolve(fix->below, directory, resolved, fix->err)) < 0)
        return result;
    from = layer_open_below(fix->below, resolved, O_RDONLY);
    if (from < 0 || fstatat(from, *name, &status, AT_SYMLINK_NOFOLLOW) < 0 || layer_is_whiteout(&status))
        return tar_bad(fix->err, "a hard link to '%.150s', which is in no layer", target);
    if (S_ISDIR(status.st_mode))
        return tar_bad(fix->err, "a hard link to a directory");
    if ((to = enter_like_below(fix, resolved)) < 0)
        return to;
    if (fstat(to, &above) < 0)
        return tsc_fail(fix->err, errno, "fstat", "%s", resolved);
    if (fstatat(to, *name, &there, AT_SYMLINK_NOFOLLOW) < 0)
        if ((result = layer_copy_node(from, *name, to, *name, &status, fix->err)) < 0 ||
            (result = layer_set_mtime(to, above.st_mtim, fix->err)) < 0)
            return result;
    return tsc_steal_fd(&to);
}

static int fix_hard_link(struct fix *fix, const char *target)
{
    char target_buffer[TAR_PATH_MAX + 1], buffer[TAR_PATH_MAX + 1];
    const char *target_name, *name;
    TSC_AUTO_FD from = bring_target(fix, target, target_buffer, &target_name);
    TSC_AUTO_FD to = from < 0 ? -1 : open_parent(fix, fix->path, buffer, &name);
    struct stat status, above;

    if (from < 0 || to < 0)
        return -fix->err->errnum;
    if (fstat(to, &above) < 0)
        return tsc_fail(fix->err, errno, "fstat", "%s", fix->path);
    if (fstatat(to, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        if (!layer_is_whiteout(&status))
            return 0; /* a later entry of the same name */
        if (unlinkat(to, name, 0) < 0)
            return tsc_fail(fix->err, errno, "unlinkat", "%s", fix->path);
    }
    if (linkat(from, target_name, to, name, 0) < 0)
        return tsc_fail(fix->err, errno, "linkat", "%s", fix->path);
    return layer_set_mtime(to, above.st_mtim, fix->err);
}

static int fix_all(struct fix *fix, struct layer_request *request)
{
    const char *first, *second;
    char type;
    int result;

    while ((result = layer_next_request(request, &type, &first, &second, fix->err)) > 0) {
        if ((result = current_path(fix, first)) < 0)
            return result;
        result = type == 'D' ? fix_directory(fix) : fix_hard_link(fix, second);
        if (result < 0)
            return result;
    }
    return result;
}

struct options {
    bool sync, user;
    char **paths;
    int count;
};

static int fix_layer(const struct options *options, struct tsc_err *err)
{
    static struct fix fix;
    struct layer_request request = { 0 };
    TSC_AUTO_FD below = layer_mount_below(options->count - 1, options->paths + 1, options->user, err);
    TSC_AUTO_FD layer = -1;
    int result;

    if (below < 0)
        return below;
    /* After the mount, which may have made a mount namespace: the confinement starts from this one's directory. */
    layer = layer_open_directory(options->paths[0], err);
    if (layer < 0)
        return layer;
    fix = (struct fix){ .layer = layer, .below = below, .err = err };
    if ((result = layer_confine(layer, CONFINE_TRUSTED, err)) < 0 || (result = layer_read_request(&request, err)) < 0 ||
        (result = fix_all(&fix, &request)) < 0)
        return result;
    if (options->sync && syncfs(layer) < 0)
        return tsc_fail(err, errno, "syncfs", "%s", options->paths[0]);
    layer_report_number('S', 0, 0);
    free(request.text);
    return 0;
}

int tsc_role_fix_layer(int argc, char **argv)
{
    struct options options = { .paths = argv, .count = argc };
    struct tsc_err err = { 0 };

    for (; options.count > 0 && options.paths[0][0] == '-'; options.count--, options.paths++) {
        options.sync = options.sync || strcmp(options.paths[0], "--sync") == 0;
        options.user = options.user || strcmp(options.paths[0], "--user") == 0;
    }
    if (options.count < 2 || layer_start() < 0)
        return 64;
    return layer_report_end(fix_layer(&options, &err), &err, "");
}
