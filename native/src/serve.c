/*
 * The `serve` role: makes supervisors on request, so that the library need not fork itself for each: forking a large
 * process takes milliseconds, forking this one a tenth of one.
 *
 * Descriptor 3 is a SOCK_SEQPACKET socket. Each message is one byte with four descriptors: stdin, stdout, stderr and the
 * control channel of the supervisor to be. The library's end of the socket is this process's life.
 */
#include "control.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define REQUEST_FDS TSC_MAX_DESCRIPTORS

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

static void refuse(int control_fd, int errnum, const char *what)
{
    struct tsc_failure failure = { .section = TSC_PREPARE, .index = TSC_NO_OPERATION };
    struct tsc_writer frame = { .size = 0 };

    tsc_fail(&failure.err, errnum, what, "a supervisor");
    tsc_put_failure(&frame, &failure);
    tsc_send_frame(control_fd, TSC_FRAME_FAILED, &frame);
}

/* The requested descriptors become 0 to 3. They are above 3 already: 0 to 3 were taken when they arrived. */
static int become_supervisor(const int fds[REQUEST_FDS])
{
    struct sigaction normal = { .sa_handler = SIG_DFL };

    for (int fd = 0; fd < REQUEST_FDS; fd++) {
        if (dup2(fds[fd], fd) < 0) {
            refuse(fds[TSC_CONTROL_FD], errno, "dup2");
            return 1;
        }
    }
    if (syscall(SYS_close_range, (unsigned)REQUEST_FDS, ~0u, 0) < 0) {
        refuse(TSC_CONTROL_FD, errno, "close_range");
        return 1;
    }
    sigaction(SIGCHLD, &normal, NULL);
    return tsc_role_supervise(0, NULL);
}

int tsc_role_serve(int argc, char **argv)
{
    struct sigaction forget = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
    int fds[REQUEST_FDS];
    int result;

    (void)argc;
    (void)argv;
    if (syscall(SYS_close_range, 4u, ~0u, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return 1;
    prctl(PR_SET_NAME, "tscontainer-shim", 0, 0, 0); /* the kernel keeps 15 characters */
    if (setsid() < 0 && errno != EPERM) /* a terminal's signals are for the program that uses the library */
        return 1;
    sigaction(SIGCHLD, &forget, NULL); /* supervisors report to the library, nobody waits for them here */
    while ((result = take_request(TSC_CONTROL_FD, fds)) > 0) {
        pid_t child = fork();

        if (child == 0)
            return become_supervisor(fds);
        if (child < 0)
            refuse(fds[TSC_CONTROL_FD], errno, "fork");
        for (int i = 0; i < REQUEST_FDS; i++)
            close(fds[i]);
    }
    return result == 0 ? 0 : 1;
}
