/*
 * The channel between the library and one shim: descriptor 3, a stream of frames.
 *
 *   frame = u32 payload size · u32 type · payload          little-endian, as in launch plans
 */
#ifndef TSC_CONTROL_H
#define TSC_CONTROL_H

#include "plan.h"

#define TSC_CONTROL_FD 3
#define TSC_FRAME_MAX (TSC_PLAN_MAX + 65536u)

enum tsc_frame {
    /* library → shim */
    TSC_FRAME_LAUNCH = 1,  /* u flags · s process file · s exit file · s log file · s OOM counter file · b plan */
    TSC_FRAME_SIGNAL = 2,  /* u signal: to the container's first process */
    TSC_FRAME_RESIZE = 3,  /* u columns · u rows */
    TSC_FRAME_RELEASE = 4, /* the container shall outlive its owner from now on */
    TSC_FRAME_START = 5,   /* on a contact: the child that waits shall go on */
    /* shim → library */
    TSC_FRAME_STARTED = 16, /* u pid · q start ticks */
    TSC_FRAME_FAILED = 17,  /* u section · u index · u errno · s operation · s operand */
    TSC_FRAME_EXITED = 18,  /* u exit code · u signal (0: none) · u out of memory · q time (ns since 1970) */
    TSC_FRAME_CLEANED = 19, /* like FAILED, all zero when stage cleanup succeeded; the last frame */
    TSC_FRAME_DONE = 20,    /* on a contact: u errno, 0 for success */
};

#define TSC_LAUNCH_OWNED 1u   /* kill the container when the channel closes */
#define TSC_LAUNCH_DURABLE 2u /* sync the exit record */

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
