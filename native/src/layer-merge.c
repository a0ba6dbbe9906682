/*
 * merge-layer [--sync] LAYER TREE: moves a layer that was unpacked with `--names` onto TREE, which holds the layers below
 * it, and applies its whiteouts. LAYER is spent afterwards. Descriptor 0 says which directories the layer only implies
 * and which hard links lead into the layers below.
 */
#include "layer.h"

#include <dirent.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <string.h>

struct merge {
    int from_root, to_root;
    void *implicit; /* of char *: clean paths */
    char path[TAR_PATH_MAX + 1];
    struct tsc_err *err;
};

static int by_text(const void *left, const void *right)
{
    return strcmp(left, right);
}

/* The directory below `root` that has `name`, or -1. */
static int find_directory(int root, const char *directory, const char *name)
{
    TSC_AUTO_FD fd = layer_open_below(root, directory, O_RDONLY);
    struct stat status;

    if (fd < 0 || fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    return tsc_steal_fd(&fd);
}

/*
 * A hard link into the layers below becomes a name in the layer, before anything below is hidden. Its target may be
 * such a link itself, made a moment ago.
 */
static int link_below(struct merge *merge, const char *path, const char *target)
{
    char path_buffer[TAR_PATH_MAX + 1], target_buffer[TAR_PATH_MAX + 1];
    const char *directory, *name, *target_directory, *target_name;
    TSC_AUTO_FD from = -1;
    TSC_AUTO_FD to = -1;
    struct stat status;

    layer_split(path, path_buffer, &directory, &name);
    layer_split(target, target_buffer, &target_directory, &target_name);
    from = layer_open_below(merge->from_root, directory, O_RDONLY);
    if (from < 0)
        return tsc_fail(merge->err, -from, "openat2", "%s", directory);
    if (fstat(from, &status) < 0)
        return tsc_fail(merge->err, errno, "fstat", "%s", directory);
    to = find_directory(merge->from_root, target_directory, target_name);
    if (to < 0)
        to = find_directory(merge->to_root, target_directory, target_name);
    if (to < 0)
        return tar_bad(merge->err, "a hard link to '%.150s', which is in no layer", target);
    if (linkat(to, target_name, from, name, 0) < 0 && errno != EEXIST) /* EEXIST: a later entry of the same name wins */
        return tsc_fail(merge->err, errno, "linkat", "%s", target);
    return layer_set_mtime(from, status.st_mtim, merge->err);
}

static int take_requests(struct merge *merge, struct layer_request *request)
{
    const char *first, *second;
    char type;
    int result = layer_read_request(request, merge->err);

    while (result == 0 && (result = layer_next_request(request, &type, &first, &second, merge->err)) > 0) {
        if (type == 'H')
            result = link_below(merge, first, second);
        else
            result = tsearch(first, &merge->implicit, by_text) == NULL
                         ? tsc_fail(merge->err, ENOMEM, "malloc", "%s", first)
                         : 0;
    }
    return result;
}

/* Calls `each` for every name in `directory` that is reserved, or that is not. */
static int for_each(struct merge *merge, int directory, bool reserved, int to,
                    int (*each)(struct merge *, int from, int to, const char *name))
{
    int duplicate = fcntl(directory, F_DUPFD_CLOEXEC, 0), result = 0;
    DIR *stream = duplicate < 0 ? NULL : fdopendir(duplicate);
    struct dirent *entry;

    if (stream == NULL) {
        result = tsc_fail(merge->err, errno, "fdopendir", "%s", merge->path);
        tsc_close_p(&duplicate);
        return result;
    }
    rewinddir(stream); /* the offset is shared with the original descriptor */
    for (errno = 0; result == 0 && (entry = readdir(stream)) != NULL; errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            layer_is_reserved(entry->d_name) == reserved)
            result = each(merge, directory, to, entry->d_name);
    if (result == 0 && errno != 0)
        result = tsc_fail(merge->err, errno, "readdir", "%s", merge->path);
    closedir(stream);
    return result;
}

static int apply_whiteout(struct merge *merge, int from, int to, const char *name)
{
    (void)from;
    return strcmp(name, ".wh..wh..opq") == 0 ? 0 : layer_remove(to, name + 4, merge->err);
}

static int merge_directory(struct merge *merge, int from, int to, bool keeps_attributes);

/* What is there already counts if the layer merely implies the directory; then a link to a directory is one too. */
static int open_existing(struct merge *merge, int to, const char *name, bool implied)
{
    struct stat status;

    if (fstatat(to, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (S_ISDIR(status.st_mode))
        return openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return implied && S_ISLNK(status.st_mode) ? layer_open_below(merge->to_root, merge->path, O_RDONLY) : -ENOTDIR;
}

static int merge_child_directory(struct merge *merge, int from, int to, const char *name)
{
    bool implied = tfind(merge->path, &merge->implicit, by_text) != NULL;
    TSC_AUTO_FD below_from = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    TSC_AUTO_FD below_to = open_existing(merge, to, name, implied);
    bool existed = below_to >= 0;
    int result;

    if (below_from < 0)
        return tsc_fail(merge->err, errno, "openat", "%s", merge->path);
    if (!existed) {
        if ((result = layer_remove(to, name, merge->err)) < 0)
            return result;
        if (mkdirat(to, name, 0700) < 0)
            return tsc_fail(merge->err, errno, "mkdirat", "%s", merge->path);
        below_to = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below_to < 0)
            return tsc_fail(merge->err, errno, "openat", "%s", merge->path);
    }
    return merge_directory(merge, below_from, below_to, implied && existed);
}

static int merge_child(struct merge *merge, int from, int to, const char *name)
{
    size_t length = strlen(merge->path), size = strlen(name);
    struct stat status, there;
    int result = 0;

    if (length + size + 2 > sizeof(merge->path))
        return tsc_fail(merge->err, ENAMETOOLONG, "openat", "%s", name);
    snprintf(merge->path + length, sizeof(merge->path) - length, "%s%s", length > 0 ? "/" : "", name);
    if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return tsc_fail(merge->err, errno, "fstatat", "%s", merge->path);
    if (S_ISDIR(status.st_mode)) {
        result = merge_child_directory(merge, from, to, name);
    } else {
        if (fstatat(to, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(there.st_mode))
            result = layer_remove(to, name, merge->err);
        if (result == 0 && renameat(from, name, to, name) < 0)
            result = tsc_fail(merge->err, errno, "renameat", "%s", merge->path);
    }
    if (result == 0)
        merge->path[length] = 0;
    return result;
}

static int merge_directory(struct merge *merge, int from, int to, bool keeps_attributes)
{
    struct stat status, before, marker;
    int result = 0;

    if (fstat(from, &status) < 0 || fstat(to, &before) < 0)
        return tsc_fail(merge->err, errno, "fstat", "%s", merge->path);
    if (fstatat(from, ".wh..wh..opq", &marker, AT_SYMLINK_NOFOLLOW) == 0)
        result = layer_remove_children(to, merge->err);
    if (result == 0)
        result = for_each(merge, from, true, to, apply_whiteout);
    if (result == 0)
        result = for_each(merge, from, false, to, merge_child);
    if (result < 0)
        return result;
    return keeps_attributes ? layer_set_mtime(to, before.st_mtim, merge->err)
                            : layer_copy_directory_attributes(from, &status, to, merge->err);
}

static int merge_layer(bool sync, char **paths, struct tsc_err *err)
{
    static struct merge merge;
    TSC_AUTO_FD from = layer_open_directory(paths[0], err);
    TSC_AUTO_FD to = from < 0 ? -1 : layer_open_directory(paths[1], err);
    struct layer_request request = { 0 };
    bool root_implied;
    int result;

    if (from < 0 || to < 0)
        return -err->errnum;
    merge = (struct merge){ .from_root = from, .to_root = to, .err = err };
    if ((result = layer_confine(to, CONFINE_TRUSTED, err)) < 0 || (result = take_requests(&merge, &request)) < 0)
        return result;
    root_implied = tfind("", &merge.implicit, by_text) != NULL;
    if ((result = merge_directory(&merge, from, to, root_implied)) < 0)
        return result;
    if (sync && syncfs(to) < 0)
        return tsc_fail(err, errno, "syncfs", "%s", paths[1]);
    layer_report_number('S', 0, 0);
    free(request.text);
    return 0;
}

int tsc_role_merge_layer(int argc, char **argv)
{
    bool sync = argc == 3 && strcmp(argv[0], "--sync") == 0;
    struct tsc_err err = { 0 };

    if ((argc != 2 && !sync) || layer_start() < 0)
        return 64;
    return layer_report_end(merge_layer(sync, argv + argc - 2, &err), &err, "");
}
