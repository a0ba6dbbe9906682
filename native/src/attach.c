/*
 * Attachers: contacts that get a container's output as it comes, and may send input.
 *
 * Whoever does not keep up is let go with OVERRUN when more waits than he allowed, or the container waits for him, as he
 * wished. Input is granted in a window: an attacher whose input the container does not read can still give orders.
 */
#include "contact.h"

#include <sys/socket.h>

#define PIECE 16384 /* of input at a time */

bool tsc_attach(struct tsc_contacts *contacts, struct tsc_contact *contact, struct tsc_reader *payload)
{
    const struct tsc_relay *relay = contacts->relay;
    struct tsc_writer frame = { .size = 0 };
    uint32_t flags = tsc_take_u32(payload);
    uint32_t limit = tsc_take_u32(payload);
    bool input = (flags & TSC_ATTACH_STDIN) != 0 && tsc_relay_takes_input(relay);

    if (contact->attached != 0 || (flags & (TSC_ATTACH_STDIN | TSC_ATTACH_STDOUT | TSC_ATTACH_STDERR)) == 0 ||
        limit > TSC_ATTACH_LIMIT)
        return false;
    contact->attached = flags;
    contact->limit = limit;
    contact->input_ended = !input;
    tsc_put_u32(&frame, (relay->terminal ? TSC_ATTACHED_TERMINAL : 0) | (input ? TSC_ATTACHED_STDIN : 0) |
                            (relay->log.fd >= 0 ? TSC_ATTACHED_LOGGED : 0));
    tsc_put_u64(&frame, tsc_log_position(&relay->log));
    tsc_contact_give(contact, TSC_FRAME_ATTACHED, frame.data, frame.size);
    return true;
}

static void grant(struct tsc_contact *contact, size_t size)
{
    uint32_t taken = (uint32_t)size;

    if (size > 0)
        tsc_contact_give(contact, TSC_FRAME_TAKEN, &taken, sizeof(taken));
}

void tsc_attach_close_input(struct tsc_contacts *contacts)
{
    tsc_relay_end_input(contacts->relay);
    for (size_t i = 0; i < TSC_MAX_CONTACTS; i++) {
        struct tsc_contact *contact = &contacts->list[i];

        if (!contact->used || (contact->attached & TSC_ATTACH_STDIN) == 0)
            continue;
        tsc_queue_clear(&contact->in);
        contact->input_ended = true;
        if (contact->fd < 0)
            contact->used = false;
        else
            tsc_contact_give(contact, TSC_FRAME_INPUT_CLOSED, NULL, 0);
    }
}

bool tsc_attach_take_input(struct tsc_contacts *contacts, struct tsc_contact *contact)
{
    uint8_t piece[PIECE];
    size_t wanted = contact->input_left < PIECE ? contact->input_left : PIECE;
    ssize_t count = recv(contact->fd, piece, wanted, MSG_DONTWAIT);
    ssize_t taken = 0;

    if (count <= 0)
        return count < 0 && (errno == EAGAIN || errno == EINTR);
    contact->input_left -= (uint32_t)count;
    if (contact->input_ended) /* closed while this was on its way */
        return true;
    if (contact->in.size == 0)
        taken = tsc_relay_input(contacts->relay, piece, (size_t)count);
    if (taken < 0) {
        tsc_attach_close_input(contacts);
        return true;
    }
    grant(contact, (size_t)taken);
    return contact->in.size + (size_t)(count - taken) <= TSC_INPUT_WINDOW &&
           tsc_queue_add(&contact->in, piece + taken, (size_t)(count - taken));
}

/* After the last byte: for the first of all attachers that may be the end of the container's input. */
static void input_is_complete(struct tsc_contacts *contacts)
{
    if (contacts->relay->input_once && !contacts->relay->terminal)
        tsc_attach_close_input(contacts);
}

void tsc_attach_end_input(struct tsc_contacts *contacts, struct tsc_contact *contact)
{
    contact->input_ended = true;
    if (contact->in.size == 0)
        input_is_complete(contacts);
}

void tsc_attach_flush_input(struct tsc_contacts *contacts)
{
    for (size_t i = 0; i < TSC_MAX_CONTACTS; i++) {
        struct tsc_contact *contact = &contacts->list[i];
        ssize_t taken;

        if (!contact->used || contact->in.size == 0)
            continue;
        taken = tsc_relay_input(contacts->relay, tsc_queue_front(&contact->in), contact->in.size);
        if (taken < 0) {
            tsc_attach_close_input(contacts);
            return;
        }
        tsc_queue_drop(&contact->in, (size_t)taken);
        grant(contact, (size_t)taken);
        if (contact->in.size > 0)
            return;
        if (contact->input_ended)
            input_is_complete(contacts);
        if (contact->used && contact->fd < 0)
            contact->used = false;
    }
}

bool tsc_attach_has_input(const struct tsc_contacts *contacts)
{
    for (size_t i = 0; i < TSC_MAX_CONTACTS; i++)
        if (contacts->list[i].used && contacts->list[i].in.size > 0)
            return true;
    return false;
}

static bool may_block(const struct tsc_contacts *contacts, const struct tsc_contact *contact)
{
    return (contact->attached & TSC_ATTACH_BLOCK) != 0 && !contacts->hurried;
}

bool tsc_attach_blocks(const struct tsc_contacts *contacts)
{
    for (size_t i = 0; i < TSC_MAX_CONTACTS; i++) {
        const struct tsc_contact *contact = &contacts->list[i];

        if (contact->used && may_block(contacts, contact) && contact->out.size > contact->limit)
            return true;
    }
    return false;
}

void tsc_attach_output(struct tsc_contacts *contacts, enum tsc_frame type, const void *data, size_t size)
{
    uint32_t stream = type == TSC_FRAME_STDERR ? TSC_ATTACH_STDERR : TSC_ATTACH_STDOUT;

    for (size_t i = 0; i < TSC_MAX_CONTACTS; i++) {
        struct tsc_contact *contact = &contacts->list[i];

        if (!contact->used || contact->ending || (contact->attached & stream) == 0)
            continue;
        if (!may_block(contacts, contact) && contact->out.size > 0 && contact->out.size + size > contact->limit) {
            tsc_contact_give(contact, TSC_FRAME_OVERRUN, NULL, 0);
            contact->ending = true;
        } else {
            tsc_contact_give(contact, type, data, size);
        }
    }
}

void tsc_attach_tell_exit(struct tsc_contacts *contacts, const struct tsc_writer *frame)
{
    for (size_t i = 0; i < TSC_MAX_CONTACTS; i++)
        if (contacts->list[i].used && contacts->list[i].attached != 0)
            tsc_contact_give(&contacts->list[i], TSC_FRAME_EXITED, frame->data, frame->size);
}
