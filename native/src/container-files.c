/*
 * Files of containers, running or not, seen from outside. Each role ends with a view (view.c), reports on descriptor 3 and is
 * confined before it looks at anything of the container.
 *
 *   pack-tree PATH NAME FOLLOW OWNER VIEW    what is at PATH, as an archive on descriptor 1 in which it is called NAME; ''
 *                                            leaves it out, and has what is in it
 *   stat-path PATH FOLLOW VIEW               what is at PATH
 *   copy-in PATH VIEW                        writes the archive on descriptor 0 into the directory PATH
 *
 * FOLLOW is 1 when a symbolic link at the end of PATH is followed. OWNER is UID:GID, or '-' for those of the files.
 */
#include "layer.h"
#include "pack.h"
#include "view.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What is at `path`: the directory that holds it, and its name there; "." for the root. */
struct place {
    int parent; /* owned */
    char buffer[TAR_PATH_MAX + 1];
    const char *base;
};

static int find(int root, const char *path, bool follow, struct place *place, struct tsc_err *err)
{
    char clean[TAR_PATH_MAX + 1];
    const char *directory;
    int result;

    if (strlen(path) > TAR_PATH_MAX)
        return tsc_fail(err, ENAMETOOLONG, "openat2", "%.100s", path);
    result = follow ? layer_resolve(root, path, clean, err) : layer_clean_name(path, clean, err);
    if (result < 0)
        return result;
    layer_split(clean, place->buffer, &directory, &place->base);
    if (place->base[0] == '\0')
        place->base = ".";
    place->parent = layer_open_below(root, directory, O_RDONLY);
    return place->parent < 0 ? tsc_fail(err, -place->parent, "openat2", "%s", path) : 0;
}

static int pack_found(struct pack *pack, struct place *place)
{
    struct stat status;
    TSC_AUTO_FD fd = -1;
    int result;

    if (fstatat(place->parent, place->base, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return tsc_fail(pack->err, errno, "fstatat", "%s", place->base);
    if (!S_ISDIR(status.st_mode))
        return pack_one(pack, place->parent, place->base, &status);
    fd = openat(place->parent, place->base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return tsc_fail(pack->err, errno, "openat", "%s", place->base);
    if (pack->name[0] != '\0' && (result = pack_directory(pack, fd, &status)) < 0)
        return result;
    return pack_children(pack, fd, status.st_dev);
}

static int pack_tree(char **argv, const struct view_arguments *view, struct tsc_err *err)
{
    static struct pack pack;
    TSC_AUTO_FD root = view_open(view, err);
    struct place place = { .parent = -1 };
    int result;

    if (root < 0)
        return root;
    pack.err = err;
    snprintf(pack.name, sizeof(pack.name), "%s", argv[1]);
    pack.owned = sscanf(argv[3], "%u:%u", &pack.uid, &pack.gid) == 2;
    if ((result = tar_write_open(&pack.writer, STDOUT_FILENO, err)) < 0 ||
        (result = find(root, argv[0], argv[2][0] == '1', &place, err)) < 0 ||
        (result = pack_found(&pack, &place)) < 0 || (result = tar_write_end(&pack.writer)) < 0)
        return result;
    layer_report_number('S', 0, 0);
    return 0;
}

int tsc_role_pack_tree(int argc, char **argv)
{
    struct tsc_err err = { 0 };
    struct view_arguments view;

    if (argc < 4 || !view_parse(argc - 4, argv + 4, &view) || layer_start() < 0)
        return 64;
    return layer_report_end(pack_tree(argv, &view, &err), &err, argv[0]);
}

static int report_status(struct place *place, struct tsc_err *err)
{
    char numbers[128], target[TAR_PATH_MAX + 1];
    struct stat status;
    ssize_t size = 0;

    if (fstatat(place->parent, place->base, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return tsc_fail(err, errno, "fstatat", "%s", place->base);
    if (S_ISLNK(status.st_mode))
        size = readlinkat(place->parent, place->base, target, TAR_PATH_MAX);
    target[size < 0 ? 0 : size] = '\0';
    snprintf(numbers, sizeof(numbers), "%u %u %u %lld %lld %ld", status.st_mode, status.st_uid, status.st_gid,
             (long long)status.st_size, (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    layer_report('F', numbers, target);
    layer_report_number('S', 0, 0);
    return 0;
}

int tsc_role_stat_path(int argc, char **argv)
{
    struct tsc_err err = { 0 };
    struct view_arguments view;
    struct place place = { .parent = -1 };
    int root, result;

    if (argc < 2 || !view_parse(argc - 2, argv + 2, &view) || layer_start() < 0)
        return 64;
    root = view_open(&view, &err);
    result = root < 0 ? root : find(root, argv[0], argv[1][0] == '1', &place, &err);
    if (result == 0)
        result = report_status(&place, &err);
    return layer_report_end(result, &err, argv[0]);
}

/* Times of directories, which get lost when something is written into them afterwards. */
struct times {
    struct {
        char *path;
        struct timespec mtime;
    } *list;
    size_t count, capacity;
};

static int remember(struct times *times, const char *prefix, const struct tar_entry *entry, struct tsc_err *err)
{
    char clean[TAR_PATH_MAX + 1];
    size_t size = strlen(prefix) + sizeof(clean) + 2;

    if (entry->type != '5' || layer_clean_name(entry->name, clean, err) < 0)
        return -err->errnum;
    if (clean[0] == '\0')
        return 0;
    if (times->count == times->capacity) {
        size_t capacity = times->capacity == 0 ? 64 : times->capacity * 2;
        void *grown = realloc(times->list, capacity * sizeof(*times->list));

        if (grown == NULL)
            return tsc_fail(err, ENOMEM, "malloc", "directories");
        times->list = grown;
        times->capacity = capacity;
    }
    times->list[times->count].mtime = entry->mtime;
    times->list[times->count].path = malloc(size);
    if (times->list[times->count].path == NULL)
        return tsc_fail(err, ENOMEM, "malloc", "%s", clean);
    snprintf(times->list[times->count++].path, size, "%s/%s", prefix, clean);
    return 0;
}

static void set_times(int root, const struct times *times)
{
    struct tsc_err ignored = { 0 };

    for (size_t i = times->count; i > 0; i--) {
        TSC_AUTO_FD fd = layer_open_below(root, times->list[i - 1].path, O_RDONLY);

        if (fd >= 0) /* else it was moved or removed in this moment */
            (void)layer_set_mtime(fd, times->list[i - 1].mtime, &ignored);
    }
}

static int copy_in(const char *path, const struct view_arguments *view, struct tar_reader *archive, struct tsc_err *err)
{
    static struct layer_writer writer;
    static char prefix[TAR_PATH_MAX + 1];
    TSC_AUTO_FD root = view_open(view, err);
    TSC_AUTO_FD target = -1;
    struct times times = { 0 };
    struct tar_entry entry;
    int result;

    if (root < 0)
        return root;
    if (strlen(path) > TAR_PATH_MAX)
        return tsc_fail(err, ENAMETOOLONG, "openat2", "%.100s", path);
    if ((result = layer_resolve(root, path, prefix, err)) < 0)
        return result;
    target = layer_open_below(root, prefix, O_RDONLY);
    if (target < 0)
        return tsc_fail(err, -target, "openat2", "%s", path);
    writer = (struct layer_writer){
        .parent = { .root = root, .fd = -1, .opaque = "", .plain = true, .err = err },
        .archive = archive,
        .prefix = prefix,
        .err = err,
    };
    if ((result = tar_open(archive, 0, err)) < 0)
        return result;
    while ((result = tar_next(archive, &entry)) > 0)
        if ((result = layer_write_entry(&writer, &entry)) < 0 ||
            (entry.type == '5' && (result = remember(&times, prefix, &entry, err)) < 0))
            return result;
    if (result < 0 || (result = layer_leave(&writer.parent)) < 0 || (result = tar_drain(archive)) < 0)
        return result;
    set_times(root, &times);
    layer_report_number('S', writer.entries, writer.bytes);
    return 0;
}

int tsc_role_copy_in(int argc, char **argv)
{
    static struct tar_reader archive;
    struct tsc_err err = { 0 };
    struct view_arguments view;

    if (argc < 1 || !view_parse(argc - 1, argv + 1, &view) || layer_start() < 0)
        return 64;
    return layer_report_end(copy_in(argv[0], &view, &archive, &err), &err, archive.name);
}
