#include "relay.h"
#include "contact.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>

#define PIPE_SIZE (256 * 1024)

enum { STDOUT = 0, STDERR = 1, TERMINAL = 2, OWNER = 3, STDIN = 4 }; /* places in the poll set */

static int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static int open_pipe(int ends[2], struct tsc_err *err)
{
    if (pipe2(ends, O_CLOEXEC) < 0)
        return tsc_fail(err, errno, "pipe2", "stdio");
    (void)!fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE); /* faster when it is granted */
    return 0;
}

int tsc_relay_open(struct tsc_relay *relay, int stdio[3], struct tsc_err *err)
{
    int ends[2];

    relay->output_fd[0] = relay->output_fd[1] = relay->terminal_fd = relay->input_fd = -1;
    relay->owner_fd = relay->stdin_fd = -1;
    if (!relay->served)
        return 0;
    if (relay->log.prefix[0] != '\0' && tsc_log_open(&relay->log, err) < 0)
        return -err->errnum;
    for (int stream = 0; stream < 2; stream++) {
        if (open_pipe(ends, err) < 0)
            return -err->errnum;
        relay->output_fd[stream] = ends[0];
        stdio[1 + stream] = ends[1];
    }
    if (!relay->keeps_input)
        return 0;
    if (open_pipe(ends, err) < 0)
        return -err->errnum;
    stdio[0] = ends[0];
    relay->stdin_fd = ends[1];
    return set_nonblocking(relay->stdin_fd) < 0 ? tsc_fail(err, errno, "fcntl", "stdin") : 0;
}

void tsc_relay_forget(struct tsc_relay *relay)
{
    relay->terminal = false;
    relay->input_size = relay->pending_size = 0;
    relay->log.fd = -1;
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
    for (int fd = 0; fd < 3; fd++)
        if (stdio[fd] > 2)
            close(stdio[fd]);
    if (terminal_fd >= 0) {
        relay->terminal = true;
        relay->terminal_fd = terminal_fd;
        tsc_close_p(&relay->stdin_fd);
        if (set_nonblocking(terminal_fd) < 0)
            return tsc_fail(err, errno, "fcntl", "terminal");
    }
    if (terminal_fd >= 0 && !relay->served) {
        relay->input_fd = fcntl(0, F_DUPFD_CLOEXEC, 10);
        relay->owner_fd = fcntl(1, F_DUPFD_CLOEXEC, 10);
        if (relay->input_fd < 0 || set_nonblocking(relay->input_fd) < 0 || relay->owner_fd < 0 ||
            set_nonblocking(relay->owner_fd) < 0)
            return tsc_fail(err, errno, "fcntl", "terminal");
    }
    return release_stdio(err);
}

void tsc_relay_polls(const struct tsc_relay *relay, const struct tsc_contacts *contacts,
                     struct pollfd polls[TSC_RELAY_POLLS])
{
    bool may_read = relay->pending_size == 0 && !relay->held && !(relay->served && tsc_attach_blocks(contacts));
    bool has_input = relay->input_size > 0 || tsc_attach_has_input(contacts);

    polls[STDOUT] = (struct pollfd){ .fd = may_read ? relay->output_fd[0] : -1, .events = POLLIN };
    polls[STDERR] = (struct pollfd){ .fd = may_read ? relay->output_fd[1] : -1, .events = POLLIN };
    polls[TERMINAL] = (struct pollfd){
        .fd = relay->terminal_fd,
        .events = (short)((may_read ? POLLIN : 0) | (has_input ? POLLOUT : 0)),
    };
    if (polls[TERMINAL].events == 0)
        polls[TERMINAL].fd = -1; /* else a hang-up would be reported again and again while somebody is slow */
    if (relay->pending_size > 0)
        polls[OWNER] = (struct pollfd){ .fd = relay->owner_fd, .events = POLLOUT };
    else
        polls[OWNER] = (struct pollfd){ .fd = relay->input_size == 0 ? relay->input_fd : -1, .events = POLLIN };
    /* Without events poll(2) still tells when the last reader has gone. */
    polls[STDIN] = (struct pollfd){ .fd = relay->stdin_fd, .events = has_input ? POLLOUT : 0 };
}

/* For the log and the attachers. */
static void serve(struct tsc_relay *relay, struct tsc_contacts *contacts, int *fd, enum tsc_frame type)
{
    ssize_t size = read(*fd, relay->chunk, sizeof(relay->chunk));

    relay->touched = true;
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) { /* EIO is how a terminal says that its last user has gone */
        tsc_close_p(fd);
        return;
    }
    tsc_log_write(&relay->log, type == TSC_FRAME_STDERR ? 2 : 1, relay->chunk, (size_t)size);
    tsc_attach_output(contacts, type, relay->chunk, (size_t)size);
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
    if (size <= 0) {
        tsc_close_p(&relay->terminal_fd);
        return;
    }
    if (relay->owner_fd >= 0) {
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

static void work_for_owner(struct tsc_relay *relay, const struct pollfd polls[TSC_RELAY_POLLS], bool exited)
{
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

void tsc_relay_work(struct tsc_relay *relay, struct tsc_contacts *contacts, const struct pollfd polls[TSC_RELAY_POLLS],
                    bool exited)
{
    static const enum tsc_frame types[] = { TSC_FRAME_STDOUT, TSC_FRAME_STDERR };

    if (!relay->served) {
        work_for_owner(relay, polls, exited);
        return;
    }
    if ((polls[STDIN].fd >= 0 && polls[STDIN].revents != 0) ||
        (polls[TERMINAL].fd >= 0 && (polls[TERMINAL].revents & POLLOUT) != 0))
        tsc_attach_flush_input(contacts);
    if (polls[STDIN].fd >= 0 && (polls[STDIN].revents & POLLERR) != 0)
        tsc_attach_close_input(contacts);
    for (int stream = 0; stream < 2; stream++)
        if (polls[stream].fd >= 0 && polls[stream].revents != 0)
            serve(relay, contacts, &relay->output_fd[stream], types[stream]);
    if (polls[TERMINAL].fd >= 0 && (polls[TERMINAL].events & POLLIN) != 0 &&
        (polls[TERMINAL].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        serve(relay, contacts, &relay->terminal_fd, TSC_FRAME_STDOUT);
}

bool tsc_relay_done(const struct tsc_relay *relay)
{
    return relay->output_fd[0] < 0 && relay->output_fd[1] < 0 && relay->terminal_fd < 0 && relay->pending_size == 0;
}

void tsc_relay_rest(struct tsc_relay *relay)
{
    if (relay->touched)
        madvise(relay->chunk, sizeof(relay->chunk), MADV_DONTNEED);
    relay->touched = false;
}

void tsc_relay_resize(struct tsc_relay *relay, struct tsc_reader *payload)
{
    struct winsize size = { .ws_col = (unsigned short)tsc_take_u32(payload) };

    size.ws_row = (unsigned short)tsc_take_u32(payload);
    if (relay->terminal_fd >= 0)
        ioctl(relay->terminal_fd, TIOCSWINSZ, &size);
}

bool tsc_relay_takes_input(const struct tsc_relay *relay)
{
    return relay->keeps_input && (relay->terminal_fd >= 0 || relay->stdin_fd >= 0);
}

ssize_t tsc_relay_input(struct tsc_relay *relay, const void *data, size_t size)
{
    ssize_t taken;

    if (!tsc_relay_takes_input(relay))
        return -1;
    taken = write(relay->terminal ? relay->terminal_fd : relay->stdin_fd, data, size);
    return taken < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : taken;
}

void tsc_relay_end_input(struct tsc_relay *relay)
{
    relay->keeps_input = false;
    tsc_close_p(&relay->stdin_fd);
}
