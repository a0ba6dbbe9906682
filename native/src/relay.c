#include "relay.h"
#include "log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#define CHUNK (64 * 1024)

enum { STDOUT = 0, STDERR = 1, TERMINAL = 2, OWNER = 3 }; /* places in the poll set */

int tsc_relay_open(struct tsc_relay *relay, const char *log_file, int stdio[3], struct tsc_err *err)
{
    relay->log_fd = relay->output_fd[0] = relay->output_fd[1] = relay->terminal_fd = relay->input_fd = -1;
    relay->owner_fd = -1;
    if (log_file[0] == '\0')
        return 0;
    relay->log_fd = tsc_log_open(log_file, err);
    if (relay->log_fd < 0)
        return relay->log_fd;
    for (int stream = 0; stream < 2; stream++) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
            return tsc_fail(err, errno, "pipe2", "log");
        relay->output_fd[stream] = ends[0];
        stdio[1 + stream] = ends[1];
    }
    return 0;
}

static int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* The container holds the owner's pipes now; a copy kept here would hide their end of file. */
static int release_stdio(struct tsc_err *err)
{
    TSC_AUTO_FD null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0)
        return tsc_fail(err, errno, "open", "/dev/null");
    for (int fd = 0; fd < 3; fd++)
        if (dup2(null, fd) < 0)
            return tsc_fail(err, errno, "dup2", "stdio");
    return 0;
}

int tsc_relay_start(struct tsc_relay *relay, const int stdio[3], int terminal_fd, struct tsc_err *err)
{
    for (int fd = 1; fd < 3; fd++)
        if (stdio[fd] > 2)
            close(stdio[fd]);
    if (terminal_fd >= 0) {
        relay->terminal_fd = terminal_fd;
        relay->input_fd = fcntl(0, F_DUPFD_CLOEXEC, 10);
        relay->owner_fd = relay->log_fd < 0 ? fcntl(1, F_DUPFD_CLOEXEC, 10) : -1;
        if (relay->input_fd < 0 || set_nonblocking(relay->input_fd) < 0 || set_nonblocking(terminal_fd) < 0)
            return tsc_fail(err, errno, "fcntl", "terminal");
        if (relay->owner_fd >= 0 && set_nonblocking(relay->owner_fd) < 0)
            return tsc_fail(err, errno, "fcntl", "terminal");
    }
    return release_stdio(err);
}

void tsc_relay_polls(const struct tsc_relay *relay, struct pollfd polls[TSC_RELAY_POLLS])
{
    bool may_read = relay->pending_size == 0;

    polls[STDOUT] = (struct pollfd){ .fd = relay->output_fd[0], .events = POLLIN };
    polls[STDERR] = (struct pollfd){ .fd = relay->output_fd[1], .events = POLLIN };
    polls[TERMINAL] = (struct pollfd){
        .fd = relay->terminal_fd,
        .events = (short)((may_read ? POLLIN : 0) | (relay->input_size > 0 ? POLLOUT : 0)),
    };
    if (polls[TERMINAL].events == 0)
        polls[TERMINAL].fd = -1; /* else a hang-up would be reported again and again while the owner is slow */
    if (relay->pending_size > 0)
        polls[OWNER] = (struct pollfd){ .fd = relay->owner_fd, .events = POLLOUT };
    else
        polls[OWNER] = (struct pollfd){ .fd = relay->input_size == 0 ? relay->input_fd : -1, .events = POLLIN };
}

static void pump_log(struct tsc_relay *relay, int stream)
{
    char chunk[CHUNK];
    ssize_t size = read(relay->output_fd[stream], chunk, sizeof(chunk));

    if (size > 0)
        tsc_log_write(relay->log_fd, 1 + stream, chunk, (size_t)size);
    else if (size == 0 || errno != EINTR)
        tsc_close_p(&relay->output_fd[stream]);
}

static void flush_pending(struct tsc_relay *relay)
{
    ssize_t size = write(relay->owner_fd, relay->pending, relay->pending_size);

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size < 0) { /* the owner has closed its side: output goes nowhere, the container goes on */
        relay->pending_size = 0;
        tsc_close_p(&relay->owner_fd);
        return;
    }
    relay->pending_size -= (size_t)size;
    memmove(relay->pending, relay->pending + size, relay->pending_size);
}

static void read_terminal(struct tsc_relay *relay)
{
    ssize_t size = read(relay->terminal_fd, relay->pending, sizeof(relay->pending));

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) { /* EIO is how a terminal says that its last user has gone */
        tsc_close_p(&relay->terminal_fd);
        return;
    }
    if (relay->log_fd >= 0) {
        tsc_log_write(relay->log_fd, 1, relay->pending, (size_t)size);
    } else if (relay->owner_fd >= 0) {
        relay->pending_size = (size_t)size;
        flush_pending(relay);
    }
}

static void write_terminal(struct tsc_relay *relay)
{
    ssize_t size = write(relay->terminal_fd, relay->input, relay->input_size);

    if (size > 0) {
        relay->input_size -= (size_t)size;
        memmove(relay->input, relay->input + size, relay->input_size);
    } else if (errno != EAGAIN && errno != EINTR) {
        relay->input_size = 0;
    }
}

static void read_input(struct tsc_relay *relay)
{
    ssize_t size = read(relay->input_fd, relay->input, sizeof(relay->input));

    if (size > 0)
        relay->input_size = (size_t)size;
    else if (size == 0 || (errno != EAGAIN && errno != EINTR))
        tsc_close_p(&relay->input_fd);
}

void tsc_relay_work(struct tsc_relay *relay, const struct pollfd polls[TSC_RELAY_POLLS], bool exited)
{
    for (int stream = 0; stream < 2; stream++)
        if (polls[stream].fd >= 0 && polls[stream].revents != 0)
            pump_log(relay, stream);
    if (polls[OWNER].fd >= 0 && polls[OWNER].revents != 0) {
        if (relay->pending_size > 0)
            flush_pending(relay);
        else
            read_input(relay);
    }
    if (polls[TERMINAL].fd >= 0 && (polls[TERMINAL].revents & POLLOUT) != 0 && relay->input_size > 0)
        write_terminal(relay);
    if (polls[TERMINAL].fd >= 0 && (polls[TERMINAL].revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
        relay->pending_size == 0 && relay->terminal_fd >= 0)
        read_terminal(relay);
    if (exited && relay->owner_fd < 0)
        relay->pending_size = 0;
}

bool tsc_relay_done(const struct tsc_relay *relay)
{
    return relay->output_fd[0] < 0 && relay->output_fd[1] < 0 && relay->terminal_fd < 0 && relay->pending_size == 0;
}

void tsc_relay_resize(struct tsc_relay *relay, struct tsc_reader *payload)
{
    struct winsize size = { .ws_col = (unsigned short)tsc_take_u32(payload) };

    size.ws_row = (unsigned short)tsc_take_u32(payload);
    if (relay->terminal_fd >= 0)
        ioctl(relay->terminal_fd, TIOCSWINSZ, &size);
}
