#include "contact.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define HEAD 8
#define SLACK ((size_t)128 * 1024) /* beyond the limit of output: for answers, and the rest of one frame */

void tsc_contacts_open(struct tsc_contacts *contacts, int owner_fd)
{
    contacts->listening = true;
    contacts->list[0] = (struct tsc_contact){ .used = true, .owner = true, .fd = owner_fd };
}

void tsc_contacts_forget(struct tsc_contacts *contacts)
{
    for (size_t i = 1; i < TSC_MAX_CONTACTS; i++) {
        struct tsc_contact *contact = &contacts->list[i];

        if (!contact->used)
            continue;
        tsc_close_p(&contact->fd);
        tsc_queue_clear(&contact->out);
        tsc_queue_clear(&contact->in);
        *contact = (struct tsc_contact){ .fd = -1 };
    }
}

void tsc_contact_polls(const struct tsc_contacts *contacts, struct pollfd polls[TSC_CONTACT_POLLS])
{
    polls[0] = (struct pollfd){ .fd = contacts->launch->listen_fd, .events = POLLIN };
    for (size_t i = 0; i < TSC_MAX_CONTACTS; i++) {
        const struct tsc_contact *contact = &contacts->list[i];

        polls[1 + i] = (struct pollfd){
            .fd = contact->used ? contact->fd : -1, /* poll(2) passes over -1 */
            .events = (short)((contact->ending ? 0 : POLLIN) | (contact->out.size > 0 ? POLLOUT : 0)),
        };
    }
}

void tsc_contact_leave(struct tsc_contacts *contacts, struct tsc_contact *contact)
{
    if (contact->owner) {
        /*
         * The library has closed its side of the channel, or has died: the kernel told us either way. Our side stays open
         * until the very end, since its closing tells a library that waits that everything is cleaned up.
         */
        contact->used = false;
        contacts->listening = false;
        return;
    }
    tsc_close_p(&contact->fd);
    tsc_queue_clear(&contact->out);
    contact->ending = false;
    if (contact->attached != 0 && !contact->input_ended)
        tsc_attach_end_input(contacts, contact);
    if (contact->in.size == 0)
        *contact = (struct tsc_contact){ .fd = -1 };
}

void tsc_contact_give(struct tsc_contact *contact, enum tsc_frame type, const void *data, size_t size)
{
    uint32_t head[2] = { (uint32_t)size, (uint32_t)type };
    struct iovec parts[] = {
        { .iov_base = head, .iov_len = sizeof(head) },
        { .iov_base = (void *)(uintptr_t)data, .iov_len = size },
    };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    size_t sent = 0;

    if (contact->fd < 0 || contact->ending)
        return;
    if (contact->out.size == 0) {
        ssize_t count = sendmsg(contact->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (count < 0 && errno != EAGAIN && errno != EINTR) {
            contact->ending = true; /* poll(2) reports the hang-up */
            return;
        }
        sent = count < 0 ? 0 : (size_t)count;
    }
    if (contact->out.size > contact->limit + SLACK ||
        (sent < HEAD && !tsc_queue_add(&contact->out, (const uint8_t *)head + sent, HEAD - sent)) ||
        (size > 0 && !tsc_queue_add(&contact->out, (const uint8_t *)data + (sent < HEAD ? 0 : sent - HEAD),
                                    size - (sent < HEAD ? 0 : sent - HEAD)))) {
        shutdown(contact->fd, SHUT_RDWR); /* so much was never agreed on */
        tsc_queue_clear(&contact->out);
        contact->ending = true;
    }
}

static void flush(struct tsc_contacts *contacts, struct tsc_contact *contact)
{
    while (contact->out.size > 0) {
        ssize_t count = send(contact->fd, tsc_queue_front(&contact->out), contact->out.size, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (count < 0) {
            tsc_contact_leave(contacts, contact);
            return;
        }
        tsc_queue_drop(&contact->out, (size_t)count);
    }
    if (contact->ending)
        tsc_contact_leave(contacts, contact);
}

static bool is_trusted(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

static void accept_contact(struct tsc_contacts *contacts)
{
    TSC_AUTO_FD fd = accept4(contacts->launch->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    struct tsc_contact *place = NULL;

    if (fd < 0 || !is_trusted(fd))
        return;
    for (size_t i = 1; i < TSC_MAX_CONTACTS; i++) {
        struct tsc_contact *contact = &contacts->list[i];

        if (!contact->used || (place == NULL && (contact->ending || contact->fd < 0)))
            place = contact;
    }
    if (place == NULL)
        return;
    if (place->used) { /* one who has been let go, or has gone: what he has left behind is all that is lost */
        tsc_queue_clear(&place->in);
        tsc_contact_leave(contacts, place);
    }
    *place = (struct tsc_contact){ .used = true, .fd = tsc_steal_fd(&fd) };
}

static bool start(struct tsc_contacts *contacts, struct tsc_contact *contact, struct tsc_reader *payload)
{
    struct tsc_launch *launch = contacts->launch;
    struct tsc_failure failure = { .section = TSC_CHILD, .index = TSC_NO_OPERATION };
    struct tsc_writer frame = { .size = 0 };
    int result;

    (void)payload;
    if (!launch->waiting)
        result = tsc_fail(&failure.err, EALREADY, "start", "the container has been started before");
    else
        result = tsc_continue_child(launch, &failure);
    if (result < 0) {
        tsc_put_failure(&frame, &failure);
    } else {
        tsc_put_u32(&frame, (uint32_t)launch->child);
        tsc_put_u64(&frame, tsc_start_ticks(launch->child));
    }
    tsc_contact_give(contact, result < 0 ? TSC_FRAME_FAILED : TSC_FRAME_STARTED, frame.data, frame.size);
    return true;
}

static bool send_signal(struct tsc_contacts *contacts, struct tsc_contact *contact, struct tsc_reader *payload)
{
    int number = (int)tsc_take_u32(payload);
    long result = contacts->exited ? -1 : syscall(SYS_pidfd_send_signal, contacts->launch->child_pidfd, number, NULL, 0);
    struct tsc_writer frame = { .size = 0 };

    tsc_put_u32(&frame, result == 0 ? 0 : contacts->exited ? (uint32_t)ESRCH : (uint32_t)errno);
    if (!contact->owner)
        tsc_contact_give(contact, TSC_FRAME_DONE, frame.data, frame.size);
    return true;
}

static bool resize(struct tsc_contacts *contacts, struct tsc_contact *contact, struct tsc_reader *payload)
{
    (void)contact;
    tsc_relay_resize(contacts->relay, payload);
    return true;
}

static bool release(struct tsc_contacts *contacts, struct tsc_contact *contact, struct tsc_reader *payload)
{
    (void)contact;
    (void)payload;
    contacts->owned = false;
    return true;
}

static bool proceed(struct tsc_contacts *contacts, struct tsc_contact *contact, struct tsc_reader *payload)
{
    (void)contact;
    (void)payload;
    contacts->relay->held = false;
    return true;
}

static bool end_input(struct tsc_contacts *contacts, struct tsc_contact *contact, struct tsc_reader *payload)
{
    (void)payload;
    if (contact->attached == 0)
        return false;
    if (!contact->input_ended)
        tsc_attach_end_input(contacts, contact);
    return true;
}

#define BY_OWNER 1u
#define BY_OTHERS 2u

static const struct order {
    uint32_t type;
    uint32_t size; /* of the payload */
    unsigned from;
    bool (*run)(struct tsc_contacts *contacts, struct tsc_contact *contact, struct tsc_reader *payload);
} orders[] = {
    { TSC_FRAME_SIGNAL, 4, BY_OWNER | BY_OTHERS, send_signal },
    { TSC_FRAME_RESIZE, 8, BY_OWNER | BY_OTHERS, resize },
    { TSC_FRAME_RELEASE, 0, BY_OWNER, release },
    { TSC_FRAME_PROCEED, 0, BY_OWNER, proceed },
    { TSC_FRAME_START, 0, BY_OTHERS, start },
    { TSC_FRAME_ATTACH, 8, BY_OTHERS, tsc_attach },
    { TSC_FRAME_INPUT_END, 0, BY_OTHERS, end_input },
};

static const struct order *find_order(uint32_t type, uint32_t size, bool owner)
{
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
        if (orders[i].type == type && orders[i].size == size && (orders[i].from & (owner ? BY_OWNER : BY_OTHERS)) != 0)
            return &orders[i];
    return NULL;
}

/* Once a frame's head is there: what is to come of the frame. False for nonsense. */
static bool look_at_head(struct tsc_contact *contact, uint32_t *wanted)
{
    uint32_t head[2];

    memcpy(head, contact->frame, HEAD);
    if (head[1] == TSC_FRAME_INPUT) {
        if (contact->attached == 0 || (contact->attached & TSC_ATTACH_STDIN) == 0 || contact->input_ended ||
            head[0] > TSC_INPUT_WINDOW)
            return false;
        contact->input_left = head[0];
        contact->have = 0;
        *wanted = 0;
        return true;
    }
    *wanted = head[0];
    return find_order(head[1], head[0], contact->owner) != NULL;
}

static bool run_order(struct tsc_contacts *contacts, struct tsc_contact *contact)
{
    struct tsc_reader payload = { .at = contact->frame + HEAD, .end = contact->frame + contact->have };
    uint32_t head[2];
    const struct order *order;

    memcpy(head, contact->frame, HEAD);
    contact->have = 0;
    order = find_order(head[1], head[0], contact->owner);
    return order != NULL && order->run(contacts, contact, &payload);
}

/* Takes what has come, at most one frame: others wait, too. False when the contact has ended or makes no sense. */
static bool take(struct tsc_contacts *contacts, struct tsc_contact *contact)
{
    uint32_t wanted = 0;
    ssize_t count;

    if (contact->input_left > 0)
        return tsc_attach_take_input(contacts, contact);
    if (contact->have >= HEAD && !look_at_head(contact, &wanted))
        return false;
    count = recv(contact->fd, contact->frame + contact->have, HEAD + wanted - contact->have, MSG_DONTWAIT);
    if (count <= 0)
        return count < 0 && (errno == EAGAIN || errno == EINTR);
    contact->have += (size_t)count;
    if (contact->have < HEAD)
        return true;
    if (!look_at_head(contact, &wanted))
        return false;
    return contact->have < HEAD + wanted || contact->input_left > 0 || run_order(contacts, contact);
}

void tsc_contact_work(struct tsc_contacts *contacts, const struct pollfd polls[TSC_CONTACT_POLLS])
{
    for (size_t i = 0; i < TSC_MAX_CONTACTS; i++) {
        struct tsc_contact *contact = &contacts->list[i];
        short events = polls[1 + i].fd >= 0 ? polls[1 + i].revents : 0;

        if ((events & POLLOUT) != 0 && contact->used && contact->fd >= 0)
            flush(contacts, contact);
        if ((events & ~POLLOUT) == 0 || !contact->used || contact->fd < 0)
            continue;
        if (contact->ending || !take(contacts, contact))
            tsc_contact_leave(contacts, contact);
    }
    if (polls[0].fd >= 0 && polls[0].revents != 0)
        accept_contact(contacts);
}

void tsc_contacts_flush(struct tsc_contacts *contacts, int milliseconds)
{
    uint64_t deadline = tsc_now() + (uint64_t)milliseconds * 1000000u;

    for (;;) {
        struct pollfd polls[TSC_MAX_CONTACTS];
        bool waiting = false;
        uint64_t now = tsc_now();

        for (size_t i = 0; i < TSC_MAX_CONTACTS; i++) {
            const struct tsc_contact *contact = &contacts->list[i];
            bool waits = contact->used && contact->fd >= 0 && contact->out.size > 0;

            polls[i] = (struct pollfd){ .fd = waits ? contact->fd : -1, .events = POLLOUT };
            waiting = waiting || waits;
        }
        if (!waiting || now >= deadline || poll(polls, TSC_MAX_CONTACTS, (int)((deadline - now) / 1000000u) + 1) < 0)
            return;
        for (size_t i = 0; i < TSC_MAX_CONTACTS; i++)
            if (polls[i].fd >= 0 && polls[i].revents != 0)
                flush(contacts, &contacts->list[i]);
    }
}
