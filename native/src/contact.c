/*
 * The socket of a container whose creator has gone: whoever may open it can order the start, send signals through the
 * shim (which means this very process, whatever its number is by now) and learn of the end, when the shim closes it.
 * The frames are those of the control channel.
 */
#include "contact.h"
#include "control.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

void tsc_contact_polls(const struct tsc_launch *launch, struct pollfd polls[TSC_CONTACT_POLLS])
{
    polls[0] = (struct pollfd){ .fd = launch->listen_fd, .events = POLLIN };
    for (size_t i = 0; i < TSC_MAX_CONTACTS; i++)
        polls[1 + i] = (struct pollfd){ .fd = launch->contacts[i], .events = POLLIN };
}

static void accept_contact(struct tsc_launch *launch)
{
    struct timeval patience = { .tv_sec = 2 }; /* a frame comes whole, or the container's life would hang on it */
    int fd = accept4(launch->listen_fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    for (size_t i = 0; i < TSC_MAX_CONTACTS; i++) {
        if (launch->contacts[i] < 0) {
            launch->contacts[i] = fd;
            return;
        }
    }
    close(fd);
}

static void start(struct tsc_launch *launch, int fd)
{
    struct tsc_failure failure = { .section = TSC_CHILD, .index = TSC_NO_OPERATION };
    struct tsc_writer frame = { .size = 0 };
    int result;

    if (!launch->waiting)
        result = tsc_fail(&failure.err, EALREADY, "start", "the container has been started before");
    else
        result = tsc_continue_child(launch, &failure);
    if (result < 0) {
        tsc_put_failure(&frame, &failure);
        tsc_send_frame(fd, TSC_FRAME_FAILED, &frame);
        return;
    }
    tsc_put_u32(&frame, (uint32_t)launch->child);
    tsc_put_u64(&frame, tsc_start_ticks(launch->child));
    tsc_send_frame(fd, TSC_FRAME_STARTED, &frame);
}

static void send_signal(struct tsc_launch *launch, int fd, uint32_t number, bool exited)
{
    struct tsc_writer frame = { .size = 0 };
    long result = exited ? -1 : syscall(SYS_pidfd_send_signal, launch->child_pidfd, (int)number, NULL, 0);

    tsc_put_u32(&frame, result == 0 ? 0 : exited ? (uint32_t)ESRCH : (uint32_t)errno);
    tsc_send_frame(fd, TSC_FRAME_DONE, &frame);
}

/* False when the contact has ended or makes no sense. */
static bool take_order(struct tsc_launch *launch, int fd, bool exited)
{
    uint32_t size = 0;
    uint32_t type = 0;
    uint8_t payload[64];
    struct tsc_reader reader = { .at = payload, .end = payload };

    if (tsc_frame_head(fd, &size, &type) < 0 || size > sizeof(payload) || tsc_read_all(fd, payload, size) < 0)
        return false;
    reader.end = payload + size;
    if (type == TSC_FRAME_START)
        start(launch, fd);
    else if (type == TSC_FRAME_SIGNAL)
        send_signal(launch, fd, tsc_take_u32(&reader), exited);
    else
        return false;
    return true;
}

void tsc_contact_work(struct tsc_launch *launch, const struct pollfd polls[TSC_CONTACT_POLLS], bool exited)
{
    for (size_t i = 0; i < TSC_MAX_CONTACTS; i++)
        if (polls[1 + i].fd >= 0 && polls[1 + i].revents != 0 && !take_order(launch, polls[1 + i].fd, exited))
            tsc_close_p(&launch->contacts[i]);
    if (polls[0].fd >= 0 && polls[0].revents != 0)
        accept_contact(launch);
}
