/*
 * The `serve` role: makes supervisors on request, so that the library need not fork itself for each: forking a large
 * process takes milliseconds, forking this one a tenth of one. One supervisor always stands by, made before it is asked for.
 *
 * Descriptor 3 is a SOCK_SEQPACKET socket. Each message is one byte with four descriptors: stdin, stdout, stderr and the
 * control channel of the supervisor to be. It is taken by the one that stands by, which then tells us that it needs a
 * successor. The library's end of the socket is our life, and that of the one that stands by.
 */
#include "control.h"
#include "supervise.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define REQUEST_FDS TSC_MAX_DESCRIPTORS

struct server {
    pid_t standby; /* 0: none */
    int taken[2];  /* a pipe: a byte for each supervisor that stands by no longer */
    int signal_fd;
};

/* 1 with the descriptors, 0 at the end, or -errno. */
static int take_request(int socket, int fds[REQUEST_FDS])
{
    char mark;
    size_t count;
    ssize_t size = tsc_receive(socket, &mark, sizeof(mark), fds, &count);

    if (size <= 0)
        return (int)size;
    return count == REQUEST_FDS ? 1 : -EPROTO;
}

/*
 * The requested descriptors become 0 to 3, and what else the supervisor has made for itself becomes 4. The former are
 * above 4 already: they came when 0 to 3 and those of the server were taken.
 */
static int place_descriptors(const int fds[REQUEST_FDS], int own)
{
    for (int fd = 0; fd < 3; fd++)
        if (dup2(fds[fd], fd) < 0)
            return -errno;
    if (dup3(fds[3], TSC_CONTROL_FD, O_CLOEXEC) < 0 || dup3(own, TSC_CONTROL_FD + 1, O_CLOEXEC) < 0)
        return -errno;
    return syscall(SYS_close_range, TSC_CONTROL_FD + 2u, ~0u, 0) < 0 ? -errno : 0;
}

/* Says why there is no supervisor, to whoever asks for one: otherwise they would wait for ever. */
static void refuse(int control_fd, const struct tsc_err *err)
{
    struct tsc_failure failure = { .section = TSC_PREPARE, .index = TSC_NO_OPERATION, .err = *err };
    struct tsc_writer frame = { .size = 0 };

    tsc_put_failure(&frame, &failure);
    tsc_send_frame(control_fd, TSC_FRAME_FAILED, &frame);
}

__attribute__((noreturn)) static void stand_by(const struct server *self)
{
    struct tsc_err err = { 0 };
    int signal_fd = tsc_become_supervisor(&err);
    int fds[REQUEST_FDS];
    int result;

    tsc_set_name("tscontainer-idle");
    if (take_request(TSC_CONTROL_FD, fds) <= 0)
        _exit(0);
    if (write(self->taken[1], "", 1) < 0) /* a server that is gone makes no successor, and nobody asks for one */
        errno = 0;
    tsc_set_name("tscontainer-shim");
    result = signal_fd < 0 ? signal_fd : place_descriptors(fds, signal_fd);
    if (result < 0) {
        tsc_fail(&err, -result, "close_range", "descriptors of a supervisor");
        refuse(fds[TSC_CONTROL_FD], &err);
        _exit(1);
    }
    _exit(tsc_supervise(TSC_CONTROL_FD + 1));
}

/* Nobody can stand by. */
static void refuse_request(int errnum)
{
    struct tsc_err err = { 0 };
    int fds[REQUEST_FDS];

    if (take_request(TSC_CONTROL_FD, fds) <= 0)
        return;
    tsc_fail(&err, errnum, "fork", "a supervisor");
    refuse(fds[TSC_CONTROL_FD], &err);
    for (int i = 0; i < REQUEST_FDS; i++)
        close(fds[i]);
}

static int make_standby(struct server *self)
{
    pid_t pid = fork();

    if (pid == 0)
        stand_by(self);
    if (pid < 0)
        return -errno;
    self->standby = pid;
    return 0;
}

static void reap(struct server *self)
{
    struct signalfd_siginfo ignored;
    pid_t pid;

    while (read(self->signal_fd, &ignored, sizeof(ignored)) > 0)
        continue;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        if (pid == self->standby)
            self->standby = 0; /* somebody has killed it, or the library has gone */
}

static int serve(struct server *self)
{
    struct pollfd polls[] = {
        { .fd = TSC_CONTROL_FD }, /* its end is reported unasked */
        { .fd = self->taken[0], .events = POLLIN },
        { .fd = self->signal_fd, .events = POLLIN },
    };

    for (;;) {
        int result = self->standby == 0 ? make_standby(self) : 0;
        char byte;

        if (result < 0 && (polls[0].revents & POLLIN) != 0)
            refuse_request(-result);
        polls[0].events = (short)(result < 0 ? POLLIN : 0); /* tried again when the next request is there */
        if (poll(polls, sizeof(polls) / sizeof(polls[0]), -1) < 0 && errno != EINTR)
            return 1;
        if ((polls[0].revents & ~POLLIN) != 0)
            return 0;
        if (polls[1].revents != 0 && read(self->taken[0], &byte, 1) == 1)
            self->standby = 0;
        if (polls[2].revents != 0)
            reap(self);
    }
}

int tsc_role_serve(int argc, char **argv)
{
    struct server self = { .taken = { -1, -1 }, .signal_fd = -1 };
    struct tsc_err err = { 0 };

    (void)argc;
    (void)argv;
    if (syscall(SYS_close_range, TSC_CONTROL_FD + 1u, ~0u, 0) < 0 || tsc_harden_process(&err) < 0)
        return 1;
    self.signal_fd = tsc_signal_fd(SIGCHLD);
    return self.signal_fd < 0 || pipe2(self.taken, O_CLOEXEC) < 0 ? 1 : serve(&self);
}
