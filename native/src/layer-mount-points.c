/*
 * The `mount-points` role: makes, once for an image, the files and directories on which every container of it mounts
 * something. They end up in a layer of their own above the image's: so no container has to make them in its writable layer,
 * where each costs an inode that is deleted a moment later.
 *
 * What is made is found out by doing it, as the launch would: in an overlay of the image, whose upper directory is the
 * layer. A place that cannot be made here is left to the launch, which knows whether that matters.
 */
#include "launch.h"
#include "layer.h"

#include <string.h>

struct place {
    char *const *points; /* 'd' or 'f' and a path in the container; 'k' a directory whose path must hold no link */
    size_t count;
    const char *upper;
    const char *work;
    const char *target;
    char *const *lower;
};

static int make_points(const struct place *place, struct tsc_err *err)
{
    struct tsc_launch launch = { .root_fd = -1, .directory_fd = -1 };
    int root = layer_open_directory(place->target, err);

    if (root < 0 || tsc_hold_root(&launch, root, err) < 0)
        return -err->errnum;
    for (size_t i = 0; i < place->count; i++) {
        char kind = place->points[i][0];
        struct tsc_err ignored = { 0 };
        TSC_AUTO_FD made = tsc_resolve_or_make(&launch, place->points[i] + 1, kind == 'f' ? 'f' : 'd', kind == 'k', &ignored);

        (void)made;
    }
    tsc_close_p(&launch.root_fd);
    return 0;
}

static int mount_and_make(const struct place *place, struct tsc_err *err)
{
    bool made;

    if (layer_unshare(&made, err) < 0)
        return -err->errnum;
    if (!made)
        return tsc_fail(err, EPERM, "unshare", "mount namespace");
    if (tsc_mount_overlay(place->lower, place->upper, place->work, place->target, TSC_OVERLAY_VOLATILE, err) < 0)
        return -err->errnum;
    return make_points(place, err);
}

/* mount-points UPPER WORK TARGET COUNT POINT … LOWER … */
int tsc_role_mount_points(int argc, char **argv)
{
    struct tsc_err err = { 0 };
    struct place place = { 0 };
    size_t count = argc > 4 ? strtoul(argv[3], NULL, 10) : 0;

    if (argc < 5 || count >= (size_t)argc - 4 || layer_start() < 0)
        return 64;
    umask(022);
    place = (struct place){
        .points = argv + 4, .count = count, .upper = argv[0], .work = argv[1], .target = argv[2], .lower = argv + 4 + count,
    };
    if (mount_and_make(&place, &err) == 0)
        layer_report_number('S', count, 0);
    return layer_report_end(err.errnum == 0 ? 0 : -err.errnum, &err, "");
}
