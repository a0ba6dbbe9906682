/* tar-write.c: a streaming writer of tar archives. */
#ifndef TSC_TAR_WRITE_H
#define TSC_TAR_WRITE_H

#include "tar.h"

struct tar_writer {
    int fd;
    struct tsc_err *err;
    unsigned char *buffer; /* owned */
    size_t used;
};

/* PAX records of one member. */
struct tar_records {
    unsigned char *data; /* owned */
    size_t size;
};

/* What is written of one thing. */
struct tar_member {
    const char *name; /* directories end with a slash */
    const char *link; /* NULL: none */
    char type;        /* as in struct tar_entry */
    uint32_t mode, uid, gid, major, minor;
    uint64_t size;
    int64_t mtime; /* whole seconds, as Docker writes them */
};

/* All functions return 0, or -errno with the reason recorded. */
int tar_write_open(struct tar_writer *writer, int fd, struct tsc_err *err);
int tar_add_record(struct tar_records *records, const char *key, const void *value, size_t size, struct tsc_err *err);
/* A header; `records` are spent. A file's content must follow. */
int tar_write_member(struct tar_writer *writer, const struct tar_member *member, struct tar_records *records);
/* Exactly `size` bytes, and what fills the last block. */
int tar_write_content(struct tar_writer *writer, int fd, uint64_t size);
int tar_write_end(struct tar_writer *writer);

#endif
