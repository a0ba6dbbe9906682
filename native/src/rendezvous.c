/*
 * Where shim and child wait for each other, and where the child waits for the order to start.
 *
 *   shim (stage parent)                  child
 *   id maps
 *   release-child ───────────────────▶   sync
 *                                        mounts …
 *   await-child ◀─────────────────────   ready
 *   hooks
 *   (end of the stage) ──────────────▶   sync
 *                                        …
 *   start, by a contact ─────────────▶   await-start
 */
#include "launch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

int tsc_release_child(struct tsc_launch *launch, struct tsc_err *err)
{
    uint32_t pid = (uint32_t)launch->child;

    return tsc_write_all(launch->go_fd, &pid, sizeof(pid)) < 0 ? tsc_fail(err, EPIPE, "sync", "the child is gone") : 0;
}

int tsc_op_release_child(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)payload;
    return tsc_release_child(launch, err);
}

int tsc_op_await_child(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)payload;
    for (;;) {
        switch (tsc_take_report(launch->report_end, &launch->terminal_fd, &launch->child_failure)) {
        case 'R':
            return 0;
        case 'T':
            break;
        case 'F':
            return tsc_fail(err, ECANCELED, "await-child", "the child has failed");
        default:
            return tsc_fail(err, ECHILD, "await-child", "the child died");
        }
    }
}

static int tell(struct tsc_launch *launch, char mark, struct tsc_err *err)
{
    return send(launch->report_fd, &mark, 1, MSG_NOSIGNAL) < 0 ? tsc_fail(err, errno, "send", "report") : 0;
}

int tsc_op_ready(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)payload;
    return tell(launch, 'R', err);
}

int tsc_op_await_start(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t pid;

    (void)payload;
    if (tell(launch, 'W', err) < 0)
        return -err->errnum;
    if (tsc_read_all(launch->sync_fd, &pid, sizeof(pid)) < 0)
        return tsc_fail(err, ECANCELED, "await-start", "the shim has ended");
    return 0;
}

/*
 * The caller, or the subreaper above it, becomes the parent of the child and gets its exit status: so do the programs
 * that drive runtimes by their command line expect it.
 */
int tsc_op_hand_over(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)payload;
    (void)err;
    launch->handed_over = true;
    return 0;
}

/* An address of 108 bytes is short for a path: the directory is opened and named by its descriptor. */
static int short_address(const char *path, int *directory, struct sockaddr_un *address, struct tsc_err *err)
{
    const char *slash = strrchr(path, '/');
    char parent[4096];

    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) < sizeof(address->sun_path)) {
        memcpy(address->sun_path, path, strlen(path) + 1);
        return 0;
    }
    if (slash == NULL || (size_t)(slash - path) >= sizeof(parent))
        return tsc_fail(err, ENAMETOOLONG, "socket", "%s", path);
    snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
    *directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*directory < 0)
        return tsc_fail(err, errno, "open", "%s", parent);
    if (snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s", *directory, slash + 1) >=
        (int)sizeof(address->sun_path))
        return tsc_fail(err, ENAMETOOLONG, "socket", "%s", path);
    return 0;
}

int tsc_op_listen(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    struct sockaddr_un address;
    TSC_AUTO_FD directory = -1;
    TSC_AUTO_FD fd = -1;
    mode_t mask;
    int bound;

    if (short_address(path, &directory, &address, err) < 0)
        return -err->errnum;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return tsc_fail(err, errno, "socket", "%s", path);
    unlink(address.sun_path); /* of an earlier run */
    mask = umask(0077); /* its directory is private already */
    bound = bind(fd, (struct sockaddr *)&address, sizeof(address));
    umask(mask);
    if (bound < 0 || listen(fd, 16) < 0)
        return tsc_fail(err, errno, "bind", "%s", path);
    launch->listen_fd = tsc_steal_fd(&fd);
    return 0;
}

int tsc_op_connect(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t slot = tsc_take_u32(payload);
    const char *path = tsc_take_string(payload);
    struct sockaddr_un address;
    TSC_AUTO_FD directory = -1;
    TSC_AUTO_FD fd = -1;

    if (slot >= TSC_MAX_TARGETS)
        return tsc_fail(err, EINVAL, "connect", "slot %u", slot);
    if (short_address(path, &directory, &address, err) < 0)
        return -err->errnum;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return tsc_fail(err, errno, "socket", "%s", path);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return tsc_fail(err, errno, "connect", "%s", path);
    launch->targets[slot] = tsc_steal_fd(&fd);
    return 0;
}

int tsc_send_with_descriptor(int socket, const void *data, size_t size, int fd)
{
    struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = { 0 };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control.space),
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(int));
    return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
