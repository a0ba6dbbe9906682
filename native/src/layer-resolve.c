/* Resolves links in user space, for paths of which a part does not exist (the kernel only says ENOENT). */
#include "layer.h"

#include <fcntl.h>
#include <string.h>

enum { links_max = 40 }; /* as in the kernel, see path_resolution(7) */

int layer_open_below(int root, const char *path, int flags)
{
    return tsc_openat_in_root(root, path[0] == 0 ? "." : path, flags | O_DIRECTORY, 0);
}

/* Replaces the first `used` bytes of `rest` by `target` and a slash. */
static int prepend(char *rest, size_t used, const char *target, size_t size)
{
    size_t left = strlen(rest + used);

    if (size + 1 + left > TAR_PATH_MAX)
        return -ENAMETOOLONG;
    memmove(rest + size + 1, rest + used, left + 1);
    memcpy(rest, target, size);
    rest[size] = '/';
    return 0;
}

static int append(char *out, const char *name, size_t size)
{
    size_t length = strlen(out);

    if (length + 1 + size > TAR_PATH_MAX)
        return -ENAMETOOLONG;
    if (length > 0)
        out[length++] = '/';
    memcpy(out + length, name, size);
    out[length + size] = 0;
    return 0;
}

static void go_up(char *out)
{
    char *slash = strrchr(out, '/');

    *(slash == NULL ? out : slash) = 0;
}

/* The target of the link `name` in the directory `out`; 0 when it is none. */
static ssize_t read_link(int root, const char *out, const char *name, char *target)
{
    TSC_AUTO_FD directory = layer_open_below(root, out, O_PATH);
    ssize_t size;

    if (directory < 0)
        return directory == -ENOENT || directory == -ENOTDIR ? 0 : directory;
    size = readlinkat(directory, name, target, TAR_PATH_MAX);
    if (size < 0)
        return errno == EINVAL || errno == ENOENT ? 0 : -errno;
    return size;
}

static int resolve(int root, char *rest, char *out)
{
    char name[TAR_PATH_MAX + 1], target[TAR_PATH_MAX + 1];
    unsigned links = 0;
    int result = 0;

    while (result == 0) {
        size_t start = strspn(rest, "/"), size = strcspn(rest + start, "/");
        ssize_t link;

        if (size == 0)
            return 0;
        memcpy(name, rest + start, size);
        name[size] = 0;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            if (size == 2)
                go_up(out);
            memmove(rest, rest + start + size, strlen(rest + start + size) + 1);
            continue;
        }
        if ((link = read_link(root, out, name, target)) < 0)
            return (int)link;
        if (link > 0 && ++links > links_max)
            return -ELOOP;
        if (link > 0 && target[0] == '/')
            out[0] = 0;
        if (link > 0) {
            result = prepend(rest, start + size, target, (size_t)link);
        } else {
            result = append(out, name, size);
            memmove(rest, rest + start + size, strlen(rest + start + size) + 1);
        }
    }
    return result;
}

int layer_resolve(int root, const char *path, char *out, struct tsc_err *err)
{
    char rest[TAR_PATH_MAX + 1];
    int result;

    memcpy(rest, path, strlen(path) + 1);
    out[0] = 0;
    result = resolve(root, rest, out);
    return result < 0 ? tsc_fail(err, -result, "openat2", "%s", path) : 0;
}
