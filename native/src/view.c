/*
 * What a container's root looks like, for roles that read or change it from outside. Its content is hostile, and may change
 * while it is looked at: it is one descriptor, below which everything is resolved.
 *
 *   process PID TICKS            of a running container, with everything that is mounted there
 *   tree DIR                     a directory of the host
 *   layers DIR...                layers, topmost first, read-only
 *   overlay UPPER WORK LOWER...  of a container that does not run
 *
 * `--bind SOURCE TARGET` before it puts what the container has mounted from the host where it is when it runs.
 */
#include "view.h"

#include "launch.h"
#include "layer.h"
#include "mount-api.h"

#include <stdio.h>
#include <string.h>

/* Which process it is, is looked at again once its root is open: its number may be another's by then. */
static int open_process_root(const char *pid_text, const char *ticks_text, struct tsc_err *err)
{
    pid_t pid = (pid_t)strtol(pid_text, NULL, 10);
    uint64_t ticks = strtoull(ticks_text, NULL, 10);
    char path[64];
    TSC_AUTO_FD root = -1;

    snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
    root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    if (tsc_start_ticks(pid) != ticks)
        return tsc_fail(err, ESRCH, "open", "%s", path);
    return tsc_steal_fd(&root);
}

static int mount_overlay(const char *jail, int count, char **paths, struct tsc_err *err)
{
    if (count < 3)
        return tsc_fail(err, EINVAL, "overlay", "%d directories", count);
    if (tsc_mount_overlay(paths + 2, paths[0], paths[1], jail, 0, err) < 0)
        return -err->errnum;
    return layer_open_directory(jail, err);
}

static int bind_tree(const char *jail, const char *path, struct tsc_err *err)
{
    TSC_AUTO_FD tree = tsc_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE);
    TSC_AUTO_FD place = layer_open_directory(jail, err);

    if (tree < 0 || place < 0)
        return err->errnum != 0 ? -err->errnum : tsc_fail(err, errno, "open_tree", "%s", path);
    if (tsc_move_mount(tree, place) < 0)
        return tsc_fail(err, errno, "move_mount", "%s", jail);
    return layer_open_directory(jail, err);
}

static int attach_layers(const char *jail, int count, char **paths, struct tsc_err *err)
{
    TSC_AUTO_FD layers = layer_mount_below(count, paths, false, err);
    TSC_AUTO_FD place = layers < 0 ? -1 : layer_open_directory(jail, err);

    if (layers < 0 || place < 0)
        return -err->errnum;
    if (tsc_move_mount(layers, place) < 0)
        return tsc_fail(err, errno, "move_mount", "%s", jail);
    return layer_open_directory(jail, err);
}

/* What the image has in the target's place never was a mount point then: nothing is mounted. */
static int bind(int root, const char *source, const char *target, struct tsc_err *err)
{
    TSC_AUTO_FD place = tsc_openat_in_root(root, target, O_PATH, 0);
    TSC_AUTO_FD tree = -1;

    if (place == -ENOENT || place == -ENOTDIR)
        return 0;
    if (place < 0)
        return tsc_fail(err, -place, "openat2", "%s", target);
    tree = tsc_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | AT_RECURSIVE);
    if (tree < 0)
        return tsc_fail(err, errno, "open_tree", "%s", source);
    return tsc_move_mount(tree, place) < 0 ? tsc_fail(err, errno, "move_mount", "%s", target) : 0;
}

static int open_root(const struct view_arguments *arguments, struct tsc_err *err)
{
    const char *kind = arguments->kind;
    char **paths = arguments->paths;
    int count = arguments->count;
    bool made;
    int result;

    if (strcmp(kind, "process") == 0 && count == 2)
        return open_process_root(paths[0], paths[1], err);
    if (strcmp(kind, "tree") == 0 && count == 1 && arguments->bind_count == 0)
        return layer_open_directory(paths[0], err);
    if (strcmp(kind, "layers") == 0 && count > 0 && arguments->bind_count == 0)
        return layer_mount_below(count, paths, false, err);
    if ((result = layer_unshare(&made, err)) < 0)
        return result;
    if (!made)
        return tsc_fail(err, EPERM, "unshare", "mount namespace");
    if (count == 1 && (strcmp(kind, "tree") == 0 || strcmp(kind, "layers") == 0))
        return bind_tree(arguments->jail, paths[0], err);
    if (strcmp(kind, "layers") == 0 && count > 1)
        return attach_layers(arguments->jail, count, paths, err);
    if (strcmp(kind, "overlay") == 0)
        return mount_overlay(arguments->jail, count, paths, err);
    return tsc_fail(err, EINVAL, "view", "%s", kind);
}

bool view_parse(int argc, char **argv, struct view_arguments *out)
{
    int at = 0;

    *out = (struct view_arguments){ .binds = argv };
    for (; at + 2 < argc && strcmp(argv[at], "--bind") == 0; at += 3)
        out->bind_count++;
    if (argc - at < 3)
        return false;
    out->jail = argv[at];
    out->kind = argv[at + 1];
    out->paths = argv + at + 2;
    out->count = argc - at - 2;
    return true;
}

int view_open(const struct view_arguments *arguments, struct tsc_err *err)
{
    TSC_AUTO_FD root = open_root(arguments, err);
    TSC_AUTO_FD jail = -1;
    int result;

    if (root < 0)
        return -err->errnum;
    for (int i = 0; i < arguments->bind_count; i++)
        if (bind(root, arguments->binds[3 * i + 1], arguments->binds[3 * i + 2], err) < 0)
            return -err->errnum;
    /* Not the view, which may belong to another mount namespace or to none: a directory of the host that has nothing else. */
    /* Mounts below a view fall off when their namespace has nobody left: this keeps it. */
    if (open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC) < 0)
        return tsc_fail(err, errno, "open", "mount namespace");
    jail = layer_open_directory(arguments->jail, err);
    if (jail < 0)
        return jail;
    result = layer_confine(jail, CONFINE_TRUSTED, err);
    return result < 0 ? result : tsc_steal_fd(&root);
}
