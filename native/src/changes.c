#include "changes.h"

#include "sorted-names.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

/* A directory on the way down. Its own entry is told only when something below it is told, or when it has changed itself. */
struct frame {
    struct frame *above;
    int now;    /* in the tree */
    int before; /* in the layers below; -1: not there, or hidden */
    const struct stat *status;
    bool is_new; /* nothing of the kind was there */
    bool told;
    bool has_excluded; /* its time says nothing then */
    int length;        /* of its name */
};

static int walk(struct changes *changes, struct frame *frame, bool merged);

static bool is_excluded(const struct changes *changes)
{
    for (int i = 0; i < changes->except_count; i++)
        if (strcmp(changes->except[i], changes->pack.name) == 0)
            return true;
    return false;
}

static bool has_value(int fd, const char *key, const char *prefix)
{
    char value[4096];
    ssize_t size = fgetxattr(fd, key, value, sizeof(value));

    return size >= (ssize_t)strlen(prefix) && memcmp(value, prefix, strlen(prefix)) == 0;
}

/* Writes a directory's own member, whose name is the first `length` bytes. */
static int tell_directory(struct changes *changes, struct frame *frame)
{
    char saved = changes->pack.name[frame->length];
    int result = 0;

    if (frame->told)
        return 0;
    frame->told = true;
    if (frame->above != NULL && (result = tell_directory(changes, frame->above)) < 0)
        return result;
    if (frame->length == 0)
        return 0; /* the root itself */
    changes->pack.name[frame->length] = '\0';
    if (changes->lists)
        layer_report(frame->is_new ? 'a' : 'c', changes->pack.name, NULL);
    else
        result = pack_directory(&changes->pack, frame->now, frame->status);
    changes->pack.name[frame->length] = saved;
    return result;
}

static int tell(struct changes *changes, struct frame *frame, const char *base, const struct stat *status, bool is_new)
{
    int result = tell_directory(changes, frame);

    if (result < 0)
        return result;
    if (!changes->lists)
        return pack_one(&changes->pack, frame->now, base, status);
    layer_report(is_new ? 'a' : 'c', changes->pack.name, NULL);
    return 0;
}

static int tell_deletion(struct changes *changes, struct frame *frame, const char *base)
{
    char marker[TAR_PATH_MAX + 8];
    int result = tell_directory(changes, frame);

    if (result < 0)
        return result;
    if (changes->lists) {
        layer_report('d', changes->pack.name, NULL);
        return 0;
    }
    snprintf(marker, sizeof(marker), "%.*s%s.wh.%s", frame->length, changes->pack.name, frame->length > 0 ? "/" : "", base);
    return pack_marker(&changes->pack, marker);
}

static int tell_opaque(struct changes *changes, struct frame *frame)
{
    char marker[TAR_PATH_MAX + 16];
    int result = tell_directory(changes, frame);

    if (result < 0 || changes->lists)
        return result;
    snprintf(marker, sizeof(marker), "%s/.wh..wh..opq", changes->pack.name);
    return pack_marker(&changes->pack, marker);
}

/* Attributes of the kind that a layer carries; the order in which a file system lists them is its own. */
static int same_xattrs(struct layer_object now, struct layer_object before, bool *same, struct tsc_err *err)
{
    static struct layer_xattrs list[2];
    static char values[2][64 * 1024];
    struct layer_object objects[2] = { now, before };
    unsigned counts[2] = { 0, 0 };
    const char *key;

    *same = true;
    for (int side = 0; side < 2; side++) {
        if (layer_list_xattrs(objects[side], &list[side], err) < 0)
            return -err->errnum;
        while ((key = layer_next_xattr(&list[side])) != NULL) {
            ssize_t size, other;

            if (!layer_may_set_xattr(key))
                continue;
            counts[side]++;
            if (side == 1)
                continue;
            size = layer_get_xattr(now, key, values[0], sizeof(values[0]));
            other = layer_get_xattr(before, key, values[1], sizeof(values[1]));
            if (size != other || (size > 0 && memcmp(values[0], values[1], (size_t)size) != 0))
                *same = false;
        }
    }
    if (counts[0] != counts[1])
        *same = false;
    return 0;
}

static bool same_link(int now, int before, const char *base)
{
    char targets[2][TAR_PATH_MAX + 1];
    ssize_t sizes[2] = { readlinkat(now, base, targets[0], TAR_PATH_MAX), readlinkat(before, base, targets[1], TAR_PATH_MAX) };

    return sizes[0] >= 0 && sizes[0] == sizes[1] && memcmp(targets[0], targets[1], (size_t)sizes[0]) == 0;
}

static bool same_attributes(const struct stat *now, const struct stat *before)
{
    return now->st_mode == before->st_mode && now->st_uid == before->st_uid && now->st_gid == before->st_gid;
}

static bool same_time(const struct stat *now, const struct stat *before)
{
    return now->st_mtim.tv_sec == before->st_mtim.tv_sec && now->st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}

/* Of things that are no directories. */
static int is_same(struct frame *frame, const char *base, const struct stat *now, const struct stat *before, bool *same,
                   struct tsc_err *err)
{
    *same = same_attributes(now, before) && now->st_rdev == before->st_rdev && same_time(now, before) &&
            (!S_ISREG(now->st_mode) || now->st_size == before->st_size) &&
            (!S_ISLNK(now->st_mode) || same_link(frame->now, frame->before, base));
    if (!*same)
        return 0;
    return same_xattrs((struct layer_object){ -1, frame->now, base }, (struct layer_object){ -1, frame->before, base },
                       same, err);
}

/* `before` is NULL where nothing was, `merged` when what is in the layers below shows through. */
static int visit_directory(struct changes *changes, struct frame *above, const char *base, const struct stat *before)
{
    struct tsc_err *err = changes->pack.err;
    TSC_AUTO_FD now = openat(above->now, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    TSC_AUTO_FD below = -1;
    bool was_directory = before != NULL && S_ISDIR(before->st_mode);
    struct frame frame = { .above = above, .is_new = before == NULL, .length = (int)strlen(changes->pack.name) };
    struct stat status;
    bool opaque, same = false;
    int result = 0;

    if (now < 0 || fstat(now, &status) < 0)
        return errno == ENOENT ? 0 : tsc_fail(err, errno, "openat", "%s", changes->pack.name);
    opaque = changes->overlay && has_value(now, "trusted.overlay.opaque", "y");
    if (changes->overlay && has_value(now, "trusted.overlay.redirect", ""))
        return tsc_fail(err, EXDEV, "overlay", "%s was renamed by redirection", changes->pack.name);
    if (was_directory) {
        below = openat(above->before, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below < 0)
            return tsc_fail(err, errno, "openat", "%s", changes->pack.name);
        same = same_attributes(&status, before);
        if (same)
            result = same_xattrs((struct layer_object){ .fd = now }, (struct layer_object){ .fd = below }, &same, err);
    }
    frame.now = now;
    frame.before = below;
    frame.status = &status;
    if (result == 0 && !same)
        result = tell_directory(changes, &frame);
    if (result == 0 && opaque && was_directory)
        result = tell_opaque(changes, &frame);
    if (result == 0)
        result = walk(changes, &frame, changes->overlay && !opaque && was_directory);
    if (result == 0 && !frame.told && !frame.has_excluded && before != NULL && !same_time(&status, before))
        result = tell_directory(changes, &frame);
    return result;
}

static int visit(struct changes *changes, struct frame *frame, const char *base, bool merged)
{
    struct stat now, before;
    bool is_here = fstatat(frame->now, base, &now, AT_SYMLINK_NOFOLLOW) == 0;
    bool was_here = frame->before >= 0 && fstatat(frame->before, base, &before, AT_SYMLINK_NOFOLLOW) == 0;
    bool hidden = is_here && changes->overlay && layer_is_whiteout(&now);
    bool same = false;
    int result = 0;

    if (!is_here || hidden) {
        /* In an archive an opaque directory has hidden it already. */
        bool by_opaque = changes->overlay && !merged && !changes->lists;

        return was_here && !by_opaque ? tell_deletion(changes, frame, base) : 0;
    }
    if (S_ISDIR(now.st_mode))
        return visit_directory(changes, frame, base, was_here ? &before : NULL);
    if (was_here && !changes->overlay)
        result = is_same(frame, base, &now, &before, &same, changes->pack.err);
    return result < 0 || same ? result : tell(changes, frame, base, &now, !was_here);
}

/* The names in either, sorted. `names` has those in the tree. */
static int add_names_before(struct sorted_names *names, int before, struct tsc_err *err)
{
    AUTO_NAMES others = { 0 };
    struct sorted_names all = { 0 };
    size_t i = 0, j = 0;
    int result = before < 0 ? 0 : sorted_names(before, &others, err);

    if (result < 0 || others.count == 0)
        return result;
    all.capacity = names->count + others.count;
    all.list = malloc(all.capacity * sizeof(char *));
    if (all.list == NULL)
        return tsc_fail(err, ENOMEM, "malloc", "names");
    while (i < names->count || j < others.count) {
        int order = i == names->count ? 1 : j == others.count ? -1 : strcmp(names->list[i], others.list[j]);

        all.list[all.count++] = order <= 0 ? names->list[i++] : others.list[j];
        if (order > 0)
            others.list[j] = NULL; /* handed over */
        if (order >= 0)
            j++;
    }
    free(names->list);
    *names = all;
    return 0;
}

/* `merged`: what is missing here shows through from below; else it is gone. */
static int walk(struct changes *changes, struct frame *frame, bool merged)
{
    AUTO_NAMES names = { 0 };
    int result = sorted_names(frame->now, &names, changes->pack.err);

    if (result == 0 && !merged)
        result = add_names_before(&names, frame->before, changes->pack.err);
    for (size_t i = 0; result == 0 && i < names.count; i++) {
        int length = pack_enter(&changes->pack, names.list[i]);

        if (length < 0)
            return length;
        if (is_excluded(changes))
            frame->has_excluded = true;
        else
            result = visit(changes, frame, names.list[i], merged);
        if (result == 0)
            pack_leave(&changes->pack, length);
    }
    return result;
}

int changes_walk(struct changes *changes, int now, int before)
{
    struct stat status;
    struct frame root = { .now = now, .before = before, .status = &status };

    if (fstat(now, &status) < 0)
        return tsc_fail(changes->pack.err, errno, "fstat", "root");
    return walk(changes, &root, changes->overlay);
}
