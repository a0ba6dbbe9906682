/* Operations on the host: directories, files of cgroups and sysctls, ports. Paths come from the engine, not from an image. */
#include "launch.h"
#include "layer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#define BUSY_FOR_A_MOMENT 3 /* tries, until groups below it are looked for */

/* Makes the directories above `path` that are missing. */
static int make_parents(const char *path, mode_t mode)
{
    char parent[4096];

    if (snprintf(parent, sizeof(parent), "%s", path) >= (int)sizeof(parent))
        return -1;
    for (char *slash = strchr(parent + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        int made;

        *slash = '\0';
        made = mkdir(parent, mode);
        *slash = '/';
        if (made < 0 && errno != EEXIST && errno != EROFS)
            return -1;
    }
    return 0;
}

int tsc_op_make_directory(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    mode_t mode = (mode_t)tsc_take_u32(payload);

    (void)launch;
    /* The directory above may be missing, as one that another engine has just removed because it was empty. */
    for (int tries = 0; mkdir(path, mode) < 0 && errno != EEXIST; tries++)
        if (errno != ENOENT || tries == 10 || make_parents(path, mode) < 0)
            return tsc_fail(err, errno, "mkdir", "%s", path);
    return 0;
}

int tsc_op_remove_directory(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    struct timespec pause = { .tv_nsec = 200 * 1000 };

    (void)launch;
    /* A cgroup is busy until the kernel has let go of its last, already reaped, task: microseconds, rarely more. */
    for (int tries = 0; rmdir(path) < 0; tries++) {
        if (errno == ENOENT)
            return 0;
        if ((errno != EBUSY && errno != ENOTEMPTY) || tries == 200)
            return tsc_fail(err, errno, "rmdir", "%s", path);
        if (tries >= BUSY_FOR_A_MOMENT)
            (void)tsc_remove_groups_below(path); /* a failure is that of the next rmdir(2), too */
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 10 * 1000 * 1000)
            pause.tv_nsec *= 2;
    }
    return 0;
}

int tsc_op_own(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    size_t count = 0;
    TSC_AUTO_FREE char **paths = tsc_take_list(payload, 0, &count);
    uid_t uid = tsc_take_u32(payload);
    gid_t gid = tsc_take_u32(payload);

    (void)launch;
    if (paths == NULL)
        return tsc_fail(err, ENOMEM, "chown", "%zu paths", count);
    for (char **each = paths; *each != NULL; each++)
        if (lchown(*each, uid, gid) < 0 && errno != ENOENT)
            return tsc_fail(err, errno, "chown", "%s to %u", *each, uid);
    return 0;
}

/* The container's own directories, hostile content included: no link is followed below them. */
static int remove_tree(const char *path, struct tsc_err *err)
{
    const char *slash = strrchr(path, '/');
    char parent[4096];
    TSC_AUTO_FD fd = -1;

    if (slash == NULL || slash[1] == '\0' || (size_t)(slash - path) >= sizeof(parent))
        return tsc_fail(err, EINVAL, "remove-tree", "%s", path);
    snprintf(parent, sizeof(parent), "%.*s/", (int)(slash - path), path);
    fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : tsc_fail(err, errno, "open", "%s", parent);
    return layer_remove(fd, slash + 1, err);
}

int tsc_op_remove_tree(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)launch;
    return remove_tree(tsc_take_string(payload), err);
}

int tsc_op_discard_tree(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    const char *trash = tsc_take_string(payload);

    if (launch->discarded_count == TSC_MAX_DISCARDED)
        return tsc_fail(err, E2BIG, "discard-tree", "%s", path);
    if (rename(path, trash) < 0)
        return errno == ENOENT ? 0 : tsc_fail(err, errno, "rename", "%s to %s", path, trash);
    launch->discarded[launch->discarded_count++] = trash;
    return 0;
}

void tsc_remove_discarded(struct tsc_launch *launch)
{
    for (size_t i = 0; i < launch->discarded_count; i++) {
        struct tsc_err ignored = { 0 };

        (void)remove_tree(launch->discarded[i], &ignored);
    }
    launch->discarded_count = 0;
}

static int write_value(int fd, const char *path, const char *data, struct tsc_err *err)
{
    size_t size = strlen(data);
    ssize_t written;

    do
        written = write(fd, data, size); /* one call: cgroup and sysctl files take a value whole or not at all */
    while (written < 0 && errno == EINTR);
    if (written < 0)
        return tsc_fail(err, errno, "write", "'%s' to %s", data, path);
    if ((size_t)written != size)
        return tsc_fail(err, EIO, "write", "'%s' to %s: cut short", data, path);
    return 0;
}

int tsc_op_write_file(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    const char *data = tsc_take_string(payload);
    TSC_AUTO_FD fd = open(path, O_WRONLY | O_CLOEXEC);

    (void)launch;
    return fd < 0 ? tsc_fail(err, errno, "open", "%s", path) : write_value(fd, path, data, err);
}

/* Files like devices.allow take one value after the other. */
int tsc_op_write_values(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    uint32_t count = tsc_take_u32(payload);
    TSC_AUTO_FD fd = open(path, O_WRONLY | O_CLOEXEC);

    (void)launch;
    if (fd < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    for (; count > 0 && !payload->bad; count--)
        if (write_value(fd, path, tsc_take_string(payload), err) < 0)
            return -err->errnum;
    return 0;
}

/* One of the engine's own files. A container may have the earlier one open: it keeps that, and its content. */
int tsc_op_make_file(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    mode_t mode = (mode_t)tsc_take_u32(payload);
    const char *data = tsc_take_string(payload);
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    TSC_AUTO_FD fd = open(path, flags, mode);
    int result;

    (void)launch;
    if (fd < 0 && errno == EEXIST && unlink(path) == 0)
        fd = open(path, flags, mode);
    if (fd < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    result = tsc_write_all(fd, data, strlen(data));
    return result < 0 ? tsc_fail(err, -result, "write", "%s", path) : 0;
}

/*
 * On v1 a process that writes 0 to `tasks` moves itself without the system-wide lock that any write of a pid or to
 * `cgroup.procs` takes, and whose first taker waits for an RCU grace period of milliseconds. A v2 group has no such
 * file; there clone3(2) makes the child inside.
 */
int tsc_op_join_cgroup(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    char file[4096];
    int fd;

    if (launch->cgroup_count == TSC_MAX_CGROUPS ||
        snprintf(file, sizeof(file), "%s/tasks", path) >= (int)sizeof(file))
        return tsc_fail(err, ENAMETOOLONG, "join-cgroup", "%s", path);
    fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        launch->cgroups[launch->cgroup_count++] = fd;
        return 0;
    }
    if (errno != ENOENT)
        return tsc_fail(err, errno, "open", "%s", file);
    tsc_close_p(&launch->cgroup_fd);
    launch->cgroup_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return launch->cgroup_fd < 0 ? tsc_fail(err, errno, "open", "%s", path) : 0;
}

/* The strings are the plan's own, which lives as long as we do. */
int tsc_op_thaw_on_kill(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)err;
    launch->thaw_file = tsc_take_string(payload);
    launch->thaw_data = tsc_take_string(payload);
    return 0;
}

/* On cgroup v1 not even SIGKILL reaches a frozen process. */
void tsc_thaw(const struct tsc_launch *launch)
{
    struct tsc_err ignored = { .errnum = 0 }; /* a group that has gone holds nobody */
    TSC_AUTO_FD fd = launch->thaw_file == NULL ? -1 : open(launch->thaw_file, O_WRONLY | O_CLOEXEC);

    if (fd >= 0)
        write_value(fd, launch->thaw_file, launch->thaw_data, &ignored);
}

int tsc_op_write_id_map(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t kind = tsc_take_u32(payload);
    const char *map = tsc_take_string(payload);
    static const char *const names[] = { "uid_map", "gid_map", "setgroups" };
    char path[64];
    TSC_AUTO_FD fd = -1;

    if (kind >= sizeof(names) / sizeof(names[0]))
        return tsc_fail(err, EINVAL, "write-id-map", "kind %u", kind);
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)launch->child, names[kind]);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? tsc_fail(err, errno, "open", "%s", path) : write_value(fd, path, map, err);
}

static socklen_t parse_address(const char *text, uint32_t port, struct sockaddr_storage *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        return sizeof(*v6);
    }
    return 0;
}

/* The socket is bound and never listens: it only keeps other programs off the port that the firewall redirects. */
int tsc_op_reserve_port(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t protocol = tsc_take_u32(payload);
    const char *text = tsc_take_string(payload);
    uint32_t port = tsc_take_u32(payload);
    struct sockaddr_storage address;
    socklen_t size = parse_address(text, port, &address);
    int only_v6 = 1;
    TSC_AUTO_FD fd = -1;

    if (size == 0 || port == 0 || port > 65535 || protocol > 1)
        return tsc_fail(err, EINVAL, "bind", "%s:%u", text, port);
    if (launch->port_count == TSC_MAX_PORTS)
        return tsc_fail(err, EMFILE, "bind", "more than %d ports", TSC_MAX_PORTS);
    fd = socket(address.ss_family, (protocol == 0 ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return tsc_fail(err, errno, "socket", "%s:%u", text, port);
    if (address.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof(only_v6));
    if (bind(fd, (struct sockaddr *)&address, size) < 0)
        return tsc_fail(err, errno, "bind", "%s:%u/%s", text, port, protocol == 0 ? "tcp" : "udp");
    if (launch->ports == NULL)
        launch->ports = malloc(sizeof(launch->ports[0]) * TSC_MAX_PORTS);
    if (launch->ports == NULL)
        return tsc_fail(err, ENOMEM, "bind", "%s:%u", text, port);
    launch->ports[launch->port_count++] = tsc_steal_fd(&fd);
    return 0;
}
