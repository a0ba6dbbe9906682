/*
 * The log of a container: one sequence of bytes, cut into files so that old ones can go.
 *
 *   file   = PREFIX and the position of its first byte in the sequence, as 16 hex digits. The next file begins where this
 *            one ends, and is made only after the last byte of this one was written: a reader at the end of a file looks for
 *            the next, and if there is one, has read everything once it has looked at the end again.
 *   record = u32 size · u8 stream · u8 zero · u16 zero · u64 time (ns since 1970) · bytes · u32 size      little-endian
 *   stream = 1 stdout, or a terminal · 2 stderr · 3 a gap: u64 bytes of output that could not be written, or 0
 *
 * A record holds what one read gave, at most TSC_LOG_RECORD_MAX bytes: lines are the business of readers. The size at its
 * end lets them walk backwards. A gap at the end grows in place; a record that leaves no room for one in the last block of
 * the file is followed by one of 0 bytes: so a full disk can always be mentioned, once there is a record. A file whose last record is cut off (by a loss of power) is not continued.
 *
 * A reader holds a shared lock (flock(2)) on the file that it is reading, and on the next before it lets go: then neither that
 * file nor a younger one is removed, as long as there are no more than TSC_LOG_PATIENCE files too many, and not more than
 * TSC_LOG_PATIENCE_BYTES in them.
 *
 * Where to log to, in a launch frame:  s prefix ("": nowhere) · q bytes for a file · u files to keep · b positions of the
 * files that there are, u64 each, rising.
 */
#ifndef TSC_LOG_H
#define TSC_LOG_H

#include "plan.h"

#define TSC_LOG_RECORD_MAX 65536u
#define TSC_LOG_KEEP_MAX 127u
#define TSC_LOG_PATIENCE 512u
#define TSC_LOG_PATIENCE_BYTES (1024u * 1024 * 1024)
#define TSC_LOG_FILES_MAX (TSC_LOG_KEEP_MAX + TSC_LOG_PATIENCE + 2)

struct tsc_log {
    int fd; /* of the newest file; -1: no log */
    const char *prefix;
    uint64_t max_bytes; /* a file gets no further record beyond this */
    uint32_t max_files;
    uint64_t size; /* of the newest file */
    uint64_t gap_end; /* where the gap ends with which the newest file ends; 0: it ends with something else */
    uint64_t gap;     /* bytes that this gap mentions */
    bool torn;     /* it ends with a half record that could not be cut off: it gets no further one */
    uint64_t lost; /* bytes of output that could not be written and are not mentioned yet */
    size_t file_count;
    uint64_t files[TSC_LOG_FILES_MAX]; /* positions, rising */
};

/* Takes its part of a launch frame. */
void tsc_log_take(struct tsc_log *log, struct tsc_reader *reader);
int tsc_log_open(struct tsc_log *log, struct tsc_err *err);
/* A full disk never stops a container: what cannot be written is lost, whole records at a time, and counted. */
void tsc_log_write(struct tsc_log *log, int stream, const void *data, size_t size);
/* Mentions what could not be written, if there is room for that now; before the next record, and at the end. */
void tsc_log_tell_lost(struct tsc_log *log);
/* Where the next record begins. */
uint64_t tsc_log_position(const struct tsc_log *log);
/* Nanoseconds since 1970. */
uint64_t tsc_now(void);

#endif
