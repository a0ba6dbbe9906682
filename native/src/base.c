#include "base.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

int tsc_fail(struct tsc_err *err, int errnum, const char *op, const char *fmt, ...)
{
    if (err != NULL && err->errnum == 0) {
        va_list args;

        err->errnum = errnum > 0 ? errnum : EIO;
        snprintf(err->op, sizeof(err->op), "%s", op);
        va_start(args, fmt);
        vsnprintf(err->detail, sizeof(err->detail), fmt, args);
        va_end(args);
    }
    return errnum > 0 ? -errnum : -EIO;
}

void tsc_close_p(int *fd)
{
    if (*fd >= 0) {
        int saved = errno; /* a destructor must not change the answer */

        close(*fd); /* no EINTR retry: on Linux the descriptor is gone already, see close(2) */
        errno = saved;
        *fd = -1;
    }
}

void tsc_free_p(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

int tsc_openat_in_root(int root_fd, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? mode : 0,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    long fd;

    do
        fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
    while (fd < 0 && (errno == EINTR || errno == EAGAIN)); /* EAGAIN: a rename raced, see openat2(2) */
    return fd < 0 ? -errno : (int)fd;
}

int tsc_read_all(int fd, void *buffer, size_t size)
{
    char *at = buffer;

    while (size > 0) {
        ssize_t count = read(fd, at, size);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        if (count == 0)
            return -EPIPE;
        at += count;
        size -= (size_t)count;
    }
    return 0;
}

int tsc_write_all(int fd, const void *buffer, size_t size)
{
    const char *at = buffer;

    while (size > 0) {
        ssize_t count = write(fd, at, size);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        at += count;
        size -= (size_t)count;
    }
    return 0;
}

ssize_t tsc_receive(int socket, void *data, size_t size, int fds[TSC_MAX_DESCRIPTORS], size_t *fd_count)
{
    struct iovec part = { .iov_base = data, .iov_len = size };
    union {
        char space[CMSG_SPACE(sizeof(int) * TSC_MAX_DESCRIPTORS)];
        struct cmsghdr align;
    } control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control.space),
    };
    struct cmsghdr *header;
    ssize_t count;

    *fd_count = 0;
    do
        count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return -errno;
    header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        *fd_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(header), *fd_count * sizeof(int));
    }
    return count;
}

int tsc_write_record(const char *path, const char *text, bool durable)
{
    char temporary[4096];
    TSC_AUTO_FD fd = -1;

    if (snprintf(temporary, sizeof(temporary), "%s.tmp", path) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (tsc_write_all(fd, text, strlen(text)) < 0 || (durable && fsync(fd) < 0))
        return -EIO;
    return rename(temporary, path) < 0 ? -errno : 0;
}

int64_t tsc_milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
