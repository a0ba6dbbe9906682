/*
 * Frames: what a shim and those who talk to it say to each other. The library that has started it is one of them, by
 * descriptor 3; others come through the socket of the operation `listen` (contact.h).
 *
 *   frame = u32 payload size · u32 type · payload          little-endian, as in launch plans
 */
#ifndef TSC_CONTROL_H
#define TSC_CONTROL_H

#include "plan.h"

#define TSC_CONTROL_FD 3
#define TSC_FRAME_MAX (TSC_PLAN_MAX + 65536u)

enum tsc_frame {
    /* to the shim, by the library that started it */
    TSC_FRAME_LAUNCH = 1,  /* u flags · s process file · s exit file · s OOM counter file · log, see log.h · restart, see restart.h · journal, see journal.h · b plan */
    TSC_FRAME_RELEASE = 4, /* the container shall outlive its owner from now on */
    TSC_FRAME_PROCEED = 9, /* after TSC_LAUNCH_HOLD: those who want the first output are attached */
    /* to the shim, by anybody */
    TSC_FRAME_SIGNAL = 2, /* u signal: to the container's first process; a contact gets DONE */
    TSC_FRAME_RESIZE = 3, /* u columns · u rows */
    /* to the shim, on a contact */
    TSC_FRAME_START = 5,     /* the child that waits shall go on; STARTED or FAILED is the answer */
    TSC_FRAME_ATTACH = 6,    /* u TSC_ATTACH_… · u bytes that may wait; ATTACHED is the answer */
    TSC_FRAME_INPUT = 7,     /* bytes for the container; never more than TSC_INPUT_WINDOW that are not TAKEN */
    TSC_FRAME_INPUT_END = 8, /* this attacher's input is complete */
    /* to the library */
    TSC_FRAME_STARTED = 16, /* u pid · q start ticks; again after each RESTARTING */
    TSC_FRAME_FAILED = 17,  /* u section · u index · u errno · s operation · s operand */
    TSC_FRAME_EXITED = 18,  /* u exit code · u signal (0: none) · u out of memory · q time (ns since 1970) */
    TSC_FRAME_RESTARTING = 27, /* like EXITED, and u milliseconds: STARTED follows then, or EXITED if it is stopped */
    TSC_FRAME_CLEANED = 19, /* like FAILED, all zero when stage cleanup succeeded; the last frame */
    /* to a contact, besides STARTED, FAILED and EXITED */
    TSC_FRAME_DONE = 20,         /* u errno, 0 for success */
    TSC_FRAME_ATTACHED = 21,     /* u TSC_ATTACHED_… · q position of the log: what follows was logged from there on */
    TSC_FRAME_STDOUT = 22,       /* bytes; all output of a terminal */
    TSC_FRAME_STDERR = 23,       /* bytes */
    TSC_FRAME_TAKEN = 24,        /* u bytes of INPUT that the container has got: so many more may be sent */
    TSC_FRAME_INPUT_CLOSED = 25, /* nobody in the container reads input any more */
    TSC_FRAME_OVERRUN = 26,      /* more waits than the attacher allowed; the last frame */
};

#define TSC_LAUNCH_OWNED 1u       /* kill the container when the channel closes */
#define TSC_LAUNCH_DURABLE 2u     /* sync the exit record */
#define TSC_LAUNCH_SERVE 4u       /* output is for attachers (and the log, if there is one), not for descriptors 1 and 2 */
#define TSC_LAUNCH_STDIN 8u       /* with SERVE: input comes from attachers, not from descriptor 0 */
#define TSC_LAUNCH_STDIN_ONCE 16u /* the end of the first attacher's input is the end of the container's */
#define TSC_LAUNCH_HOLD 32u       /* take no output before PROCEED, or before the library has gone */

#define TSC_ATTACH_STDIN 1u
#define TSC_ATTACH_STDOUT 2u
#define TSC_ATTACH_STDERR 4u
#define TSC_ATTACH_BLOCK 8u /* the container waits for this attacher, instead of OVERRUN */

#define TSC_ATTACHED_TERMINAL 1u
#define TSC_ATTACHED_STDIN 2u  /* input is welcome */
#define TSC_ATTACHED_LOGGED 4u /* the position means something */

#define TSC_INPUT_WINDOW 65536u
#define TSC_ATTACH_LIMIT (64u * 1024 * 1024) /* of what an attacher may leave waiting */

/* Reads a frame's head. 0, or -errno; -EPIPE at the end. */
int tsc_frame_head(int fd, uint32_t *size, uint32_t *type);

/* A frame under construction: small, on the stack. */
struct tsc_writer {
    uint8_t data[1024];
    size_t size;
};
void tsc_put_u32(struct tsc_writer *writer, uint32_t value);
void tsc_put_u64(struct tsc_writer *writer, uint64_t value);
void tsc_put_string(struct tsc_writer *writer, const char *text);
/* Sends it. A library that is gone is no failure of the container: the result may be ignored. */
int tsc_send_frame(int fd, enum tsc_frame type, const struct tsc_writer *writer);
/*
 * Waits until the other side has closed its own, or for a second, after the last frame: what it still sends to one who is
 * gone would cost it the frames that it has not read yet.
 */
void tsc_linger(int fd);
void tsc_put_failure(struct tsc_writer *writer, const struct tsc_failure *failure);

#endif
