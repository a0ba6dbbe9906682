/*
 * A streaming reader of tar archives: v7, ustar, PAX, GNU, sparse. It allocates a fixed buffer, one extended header of
 * each kind and one sparse map, whatever the size of the archive.
 *
 * See POSIX.1-2017, pax, "EXTENDED DESCRIPTION"; GNU tar manual, "Basic Tar Format" and "Storing Sparse Files".
 */
#ifndef TSC_TAR_H
#define TSC_TAR_H

#include "base.h"

#include <time.h>

#define TAR_BLOCK 512u
/* Longest path that the kernel takes, without the final NUL. */
#define TAR_PATH_MAX 4095u
/* One extended header: room for several extended attributes of the largest size (64 KiB). */
#define TAR_PAX_MAX (1024u * 1024u)
/* Extents of one sparse file: 4 MiB of memory. */
#define TAR_EXTENTS_MAX (256u * 1024u)

/* The 512 bytes on disk, decoded; strings are not NUL-terminated there, so they are copied. */
struct tar_header {
    char name[257]; /* prefix and name joined */
    char link[101];
    char type;
    bool gnu; /* GNU magic: the prefix field means other things */
    uint32_t mode;
    uint64_t uid, gid, size;
    int64_t mtime;
    uint32_t major, minor;
};

/* What an extended header says; strings point into `records`. */
struct tar_pax {
    char *records; /* owned; every record checked, '=' and the final newline replaced by NUL */
    size_t length;
    const char *path, *linkpath, *sparse_name, *sparse_map;
    bool has_size, has_uid, has_gid, has_mtime, has_sparse_size, sparse_pairs;
    uint64_t size, uid, gid, sparse_size;
    int sparse_major, sparse_minor; /* -1: absent */
    struct timespec mtime;
};

struct tar_extent {
    uint64_t offset, length;
};

struct tar_sparse {
    struct tar_extent *extents; /* owned */
    size_t count, capacity;
};

/* One member, valid until the next call of tar_next. */
struct tar_entry {
    char type; /* '0' file, '1' hard link, '2' symbolic link, '3' char, '4' block, '5' directory, '6' fifo, others as is */
    const char *name, *link;
    uint64_t size; /* of the file; for a sparse file with its holes */
    uint32_t mode; /* permission bits with set-id and sticky bits */
    uint32_t uid, gid;
    struct timespec mtime;
    uint32_t major, minor;
};

struct tar_reader {
    int fd;
    struct tsc_err *err;
    unsigned char *buffer; /* owned */
    size_t start, end;
    uint64_t stored;     /* bytes of the current member still in the archive */
    size_t padding;      /* zero bytes after them */
    bool is_sparse;
    struct tar_sparse sparse;
    size_t extent;        /* the one that is being read */
    uint64_t extent_done; /* bytes of it that were read */
    uint64_t position;    /* logical offset in a file that is not sparse */
    struct tar_pax pax, global;
    char *long_name, *long_link; /* owned */
    char name[TAR_PATH_MAX + 1]; /* what tar_entry.name points to, and what an error message names */
    char link[TAR_PATH_MAX + 1];
};

/* All functions return 0 (or what their comment says) or -errno with the reason recorded; bad archives are EBADMSG. */
int tar_open(struct tar_reader *reader, int fd, struct tsc_err *err);
void tar_close(struct tar_reader *reader);
/* 1 and an entry, or 0 at the end of the archive. What is left of the previous member is skipped. */
int tar_next(struct tar_reader *reader, struct tar_entry *entry);
/* 1 and a piece of the current file with its offset, or 0 at its end. The piece is valid until the next call. */
int tar_read(struct tar_reader *reader, const void **piece, size_t *size, uint64_t *offset);
/* The extended attributes of the current member: 1 and the next one, 0 at the end. `position` starts at 0. */
int tar_next_xattr(const struct tar_reader *reader, size_t *position, const char **name, const void **value,
                   size_t *size);
/* Reads and forgets what follows the archive, so that its writer sees no broken pipe. */
int tar_drain(struct tar_reader *reader);

/* Parts, each in its own file. */
int tar_bad(struct tsc_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool tar_is_zero_block(const unsigned char *block);
int tar_parse_header(const unsigned char *block, struct tar_header *header, struct tsc_err *err);
/* A numeric field: octal text or base-256. */
int tar_parse_number(const unsigned char *field, size_t size, int64_t *out);
int tar_parse_decimal(const char *text, size_t size, uint64_t *out);
/* Takes ownership of `records` (length + 1 bytes). */
int tar_parse_pax(struct tar_pax *pax, char *records, size_t length, bool global, struct tsc_err *err);
void tar_clear_pax(struct tar_pax *pax);
bool tar_next_record(const struct tar_pax *pax, size_t *position, const char **key, const char **value, size_t *size);
bool tar_is_sparse(const struct tar_reader *reader, const struct tar_header *header);
/* Reads the map of a sparse file, whatever its format; sets type and size of the entry. */
int tar_read_sparse(struct tar_reader *reader, const unsigned char *block, const struct tar_header *header,
                    struct tar_entry *entry);
int tar_skip(struct tar_reader *reader, uint64_t size);
/* What follows `size` bytes up to the next block. */
size_t tar_padding(uint64_t size);
/* The next `size` bytes (at most a block) as one piece; they are consumed. */
int tar_take(struct tar_reader *reader, size_t size, const unsigned char **out);

#endif
