/* Paths below the container's root, which belongs to the image and is hostile. */
#include "launch.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define MAX_LINKS 40 /* as path_resolution(7) */

static int open_in_root(struct tsc_launch *launch, const char *path, int flags, bool no_links)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (no_links ? RESOLVE_NO_SYMLINKS : 0),
    };
    long fd;

    do
        fd = syscall(SYS_openat2, launch->root_fd, path, &how, sizeof(how));
    while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    return fd < 0 ? -errno : (int)fd;
}

int tsc_resolve(struct tsc_launch *launch, const char *path, int flags, bool no_links, struct tsc_err *err)
{
    int fd = open_in_root(launch, path, flags, no_links);

    return fd < 0 ? tsc_fail(err, -fd, "openat2", "%s%s", path, fd == -ELOOP ? " (a symbolic link is refused here)" : "")
                  : fd;
}

/* Makes the last directory of `path` where only that is missing: 0, -ENOENT when more is, or another failure. */
static int make_last_directory(struct tsc_launch *launch, const char *path, bool no_links)
{
    const char *slash = strrchr(path, '/');
    char parent[PATH_MAX];
    TSC_AUTO_FD fd = -1;

    if (slash == NULL || slash[1] == '\0' || strcmp(slash + 1, "..") == 0)
        return -ENOENT;
    snprintf(parent, sizeof(parent), "%.*s", (int)(slash + 1 - path), path);
    fd = open_in_root(launch, parent, O_PATH | O_DIRECTORY, no_links);
    if (fd < 0)
        return fd;
    return mkdirat(fd, slash + 1, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* Makes each missing directory of `path`; existing components may be links that stay inside the root. */
static int make_directories(struct tsc_launch *launch, const char *path, bool no_links, struct tsc_err *err)
{
    char partial[PATH_MAX];
    size_t size = strlen(path);

    if (size >= sizeof(partial))
        return tsc_fail(err, ENAMETOOLONG, "mkdir", "%s", path);
    if (make_last_directory(launch, path, no_links) == 0)
        return 0;
    memcpy(partial, path, size + 1);
    for (char *end = partial; *end != '\0';) {
        TSC_AUTO_FD parent = -1;
        TSC_AUTO_FD existing = -1;
        char *name;
        char saved;

        while (*end == '/')
            end++;
        name = end;
        while (*end != '\0' && *end != '/')
            end++;
        if (name == end)
            break;
        saved = *end;
        *end = '\0';
        existing = open_in_root(launch, partial, O_PATH, no_links);
        if (existing == -ENOENT) {
            char first = *name;

            *name = '\0'; /* "a/b/" opens the parent; "" means the root itself */
            parent = open_in_root(launch, partial[0] == '\0' ? "." : partial, O_PATH | O_DIRECTORY, no_links);
            *name = first;
            if (parent < 0)
                return tsc_fail(err, -parent, "openat2", "%s", path);
            if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
                return tsc_fail(err, errno, "mkdir", "%s", partial);
        } else if (existing < 0) {
            return tsc_fail(err, -existing, "openat2", "%s", partial);
        }
        *end = saved;
    }
    return 0;
}

int tsc_open_parent(struct tsc_launch *launch, const char *path, char name[256], struct tsc_err *err)
{
    const char *slash = strrchr(path, '/');
    const char *last = slash == NULL ? path : slash + 1;
    char parent[PATH_MAX];
    int fd;

    if (last[0] == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0 || strlen(last) > 255 ||
        (size_t)(last - path) >= sizeof(parent))
        return tsc_fail(err, EINVAL, "path", "%s", path);
    snprintf(name, 256, "%s", last);
    snprintf(parent, sizeof(parent), "%.*s", (int)(last - path), path);
    fd = open_in_root(launch, parent[0] == '\0' ? "." : parent, O_PATH | O_DIRECTORY, false);
    if (fd == -ENOENT && make_directories(launch, parent, false, err) == 0)
        fd = open_in_root(launch, parent, O_PATH | O_DIRECTORY, false);
    return fd < 0 ? tsc_fail(err, -fd, "openat2", "%s", path) : fd;
}

int tsc_borrow_parent(struct tsc_launch *launch, const char *path, char name[256], struct tsc_err *err)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash + 1 - path);
    bool same = launch->directory_fd >= 0 && launch->directory_step + 1 == launch->step && size > 0 &&
                strlen(launch->directory) == size && memcmp(launch->directory, path, size) == 0;

    if (!same) {
        tsc_close_p(&launch->directory_fd);
        launch->directory_fd = tsc_open_parent(launch, path, name, err);
        if (launch->directory_fd < 0)
            return launch->directory_fd;
        snprintf(launch->directory, sizeof(launch->directory), "%.*s", (int)size, path);
    } else if (snprintf(name, 256, "%s", slash + 1) >= 256) {
        return tsc_fail(err, ENAMETOOLONG, "path", "%s", path);
    }
    launch->directory_step = launch->step;
    return launch->directory_fd;
}

/*
 * Images have links to what exists on a running system only (/etc/resolv.conf to a file in /run): replaces `path` by what
 * such a link leads to, as seen from the container. 1: replaced, 0: it is no link.
 */
static int follow_link(struct tsc_launch *launch, char path[PATH_MAX], struct tsc_err *err)
{
    TSC_AUTO_FD fd = -1;
    struct open_how how = {
        .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    char target[PATH_MAX];
    char whole[2 * PATH_MAX];
    ssize_t size;
    char *slash = strrchr(path, '/');

    fd = (int)syscall(SYS_openat2, launch->root_fd, path, &how, sizeof(how));
    if (fd < 0)
        return 0;
    size = readlinkat(fd, "", target, sizeof(target) - 1);
    if (size <= 0)
        return 0;
    target[size] = '\0';
    snprintf(whole, sizeof(whole), "%.*s%s", target[0] == '/' || slash == NULL ? 0 : (int)(slash + 1 - path), path, target);
    if (strlen(whole) >= PATH_MAX)
        return tsc_fail(err, ENAMETOOLONG, "readlink", "%s", path);
    memcpy(path, whole, strlen(whole) + 1);
    return 1;
}

int tsc_resolve_or_make(struct tsc_launch *launch, const char *path, char kind, bool no_links, struct tsc_err *err)
{
    int fd = open_in_root(launch, path, O_PATH, no_links);
    char followed[PATH_MAX];

    if (fd != -ENOENT || kind == '-')
        return fd >= 0 ? fd : tsc_resolve(launch, path, O_PATH, no_links, err);
    if (strlen(path) >= sizeof(followed))
        return tsc_fail(err, ENAMETOOLONG, "path", "%s", path);
    memcpy(followed, path, strlen(path) + 1);
    for (int links = 0, more = !no_links; more > 0 && links < MAX_LINKS; links++) {
        more = follow_link(launch, followed, err);
        if (more < 0)
            return more;
    }
    path = followed;
    if (kind == 'd') {
        if (make_directories(launch, path, no_links, err) < 0)
            return -err->errnum;
    } else {
        char name[256];
        TSC_AUTO_FD parent = tsc_open_parent(launch, path, name, err);
        TSC_AUTO_FD file = -1;

        if (parent < 0)
            return parent;
        file = openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644);
        if (file < 0 && errno != EEXIST)
            return tsc_fail(err, errno, "create", "%s", path);
    }
    return tsc_resolve(launch, path, O_PATH, no_links, err);
}
