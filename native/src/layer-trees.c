/*
 * copy-tree [--sync] FROM TO: copies what is in FROM, and FROM's own attributes, into the empty directory TO.
 * remove-tree PATH...: removes each tree; fine when it is not there.
 * Both report on descriptor 3.
 */
#include "layer.h"

#include <fcntl.h>
#include <string.h>

static int copy_tree(bool sync, const char *from_path, const char *to_path, struct tsc_err *err)
{
    TSC_AUTO_FD from = layer_open_directory(from_path, err);
    TSC_AUTO_FD to = from < 0 ? -1 : layer_open_directory(to_path, err);
    int result;

    if (from < 0 || to < 0)
        return -err->errnum;
    if ((result = layer_confine(to, CONFINE_TRUSTED, err)) < 0 || (result = layer_copy_tree(from, to, err)) < 0)
        return result;
    if (sync && syncfs(to) < 0)
        return tsc_fail(err, errno, "syncfs", "%s", to_path);
    layer_report_number('S', 0, 0);
    return 0;
}

int tsc_role_copy_tree(int argc, char **argv)
{
    bool sync = argc == 3 && strcmp(argv[0], "--sync") == 0;
    struct tsc_err err = { 0 };

    if ((argc != 2 && !sync) || layer_start() < 0)
        return 64;
    return layer_report_end(copy_tree(sync, argv[argc - 2], argv[argc - 1], &err), &err, "");
}

/* The directory that holds `path`; `*name` becomes the last component. */
static int open_parent(char *path, const char **name, struct tsc_err *err)
{
    char *slash = strrchr(path, '/');

    if (slash == NULL || slash[1] == 0 || slash == path)
        return tsc_fail(err, EINVAL, "open", "%s", path);
    *slash = 0;
    *name = slash + 1;
    return layer_open_directory(path, err);
}

static int remove_trees(int count, char **paths, struct tsc_err *err)
{
    enum { trees_max = 64 };
    const char *names[trees_max];
    int parents[trees_max];
    int result = 0;

    if (count > trees_max)
        return tsc_fail(err, E2BIG, "remove-tree", "%d trees", count);
    for (int i = 0; i < count; i++) /* all are opened before the confinement; the process ends and closes them */
        if ((parents[i] = open_parent(paths[i], &names[i], err)) < 0)
            return parents[i];
    if ((result = layer_confine(parents[0], CONFINE_DEFAULT, err)) < 0)
        return result;
    for (int i = 0; result == 0 && i < count; i++)
        result = layer_remove(parents[i], names[i], err);
    if (result == 0)
        layer_report_number('S', 0, 0);
    return result;
}

int tsc_role_remove_tree(int argc, char **argv)
{
    struct tsc_err err = { 0 };

    if (argc < 1 || layer_start() < 0)
        return 64;
    return layer_report_end(remove_trees(argc, argv, &err), &err, "");
}
