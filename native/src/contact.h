/*
 * Those who talk to a running shim: the library that has started it, and whoever connects to the socket of the operation
 * `listen`, which takes processes of the shim's own user and of root only. All speak the frames of control.h.
 *
 * Nothing here blocks. What another side does not take waits in a bounded queue; one who lets more wait than he may is
 * let go. Orders (contact.c) and the streams of attachers (attach.c) share the connection, so an attacher may resize and
 * signal while his input waits for the container.
 */
#ifndef TSC_CONTACT_H
#define TSC_CONTACT_H

#include "control.h"
#include "launch.h"
#include "queue.h"
#include "relay.h"

#include <poll.h>

#define TSC_MAX_CONTACTS 33 /* the library and 32 others */
#define TSC_CONTACT_POLLS (1 + TSC_MAX_CONTACTS)
#define TSC_ORDER_MAX 16 /* bytes of payload that an order may have, INPUT apart */

struct tsc_contact {
    bool used;  /* may be with fd -1: gone, and his last input still waits for the container */
    bool owner; /* the library that has started this shim */
    bool ending; /* is closed as soon as `out` is empty */
    int fd;
    uint8_t frame[8 + TSC_ORDER_MAX]; /* what has come of a frame; of INPUT the head */
    size_t have;
    uint32_t input_left;    /* bytes of INPUT that are to come */
    uint32_t attached;      /* TSC_ATTACH_…; 0: gives orders only */
    uint32_t limit;         /* of `out` */
    bool input_ended;       /* he has said so, or has gone */
    struct tsc_queue out;   /* he has not taken it */
    struct tsc_queue in;    /* the container has not taken it */
};

struct tsc_contacts {
    struct tsc_launch *launch;
    struct tsc_relay *relay;
    bool owned;     /* the container ends when the library goes */
    bool listening; /* the library has not gone */
    bool exited;
    bool hurried;   /* the container has ended: nobody is waited for any more */
    struct tsc_contact list[TSC_MAX_CONTACTS]; /* the library is the first */
};

/* contact.c */
void tsc_contacts_open(struct tsc_contacts *contacts, int owner_fd);
/* Lets all go but the library. */
void tsc_contacts_forget(struct tsc_contacts *contacts);
void tsc_contact_polls(const struct tsc_contacts *contacts, struct pollfd polls[TSC_CONTACT_POLLS]);
void tsc_contact_work(struct tsc_contacts *contacts, const struct pollfd polls[TSC_CONTACT_POLLS]);
/* Sends a frame, or keeps it for later. */
void tsc_contact_give(struct tsc_contact *contact, enum tsc_frame type, const void *data, size_t size);
/* Ends a connection; input that waits for the container still reaches it. */
void tsc_contact_leave(struct tsc_contacts *contacts, struct tsc_contact *contact);
/* Waits until everybody has taken what was given to him, at most so long. */
void tsc_contacts_flush(struct tsc_contacts *contacts, int milliseconds);

/* attach.c; a false answer: this makes no sense, the contact is let go */
bool tsc_attach(struct tsc_contacts *contacts, struct tsc_contact *contact, struct tsc_reader *payload);
/* Takes some bytes of an INPUT frame from the connection. */
bool tsc_attach_take_input(struct tsc_contacts *contacts, struct tsc_contact *contact);
void tsc_attach_end_input(struct tsc_contacts *contacts, struct tsc_contact *contact);
/* Gives waiting input to the container, which can take some, or never will again. */
void tsc_attach_flush_input(struct tsc_contacts *contacts);
/* Nobody in the container reads any more: what waits goes nowhere, and no further input is taken. */
void tsc_attach_close_input(struct tsc_contacts *contacts);
bool tsc_attach_has_input(const struct tsc_contacts *contacts);
/* True while an attacher for whom the container has to wait is behind. */
bool tsc_attach_blocks(const struct tsc_contacts *contacts);
void tsc_attach_output(struct tsc_contacts *contacts, enum tsc_frame type, const void *data, size_t size);
/* Tells all attachers how the container has ended. */
void tsc_attach_tell_exit(struct tsc_contacts *contacts, const struct tsc_writer *frame);

#endif
