#include "tar.h"

#include <stdio.h>
#include <string.h>

enum { buffer_size = 256 * 1024 };

int tar_open(struct tar_reader *reader, int fd, struct tsc_err *err)
{
    *reader = (struct tar_reader){ .fd = fd, .err = err };
    tar_clear_pax(&reader->pax);
    tar_clear_pax(&reader->global);
    reader->buffer = malloc(buffer_size);
    return reader->buffer == NULL ? tsc_fail(err, ENOMEM, "malloc", "read buffer") : 0;
}

void tar_close(struct tar_reader *reader)
{
    tar_clear_pax(&reader->pax);
    tar_clear_pax(&reader->global);
    free(reader->long_name);
    free(reader->long_link);
    free(reader->sparse.extents);
    free(reader->buffer);
    *reader = (struct tar_reader){ .fd = -1 };
}

/* Reads once into the free part of the buffer; 1, or 0 at the end of the input. */
static int fill(struct tar_reader *reader)
{
    ssize_t count;

    if (reader->start == reader->end)
        reader->start = reader->end = 0;
    do
        count = read(reader->fd, reader->buffer + reader->end, buffer_size - reader->end);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return tsc_fail(reader->err, errno, "read", "archive");
    reader->end += (size_t)count;
    return count > 0 ? 1 : 0;
}

/* Makes `size` bytes contiguous; 1, or 0 when the input ends before. */
static int require(struct tar_reader *reader, size_t size)
{
    if (reader->start + size > buffer_size) {
        memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    while (reader->end - reader->start < size) {
        int result = fill(reader);

        if (result <= 0)
            return result;
    }
    return 1;
}

int tar_take(struct tar_reader *reader, size_t size, const unsigned char **out)
{
    int result = require(reader, size);

    if (result < 0)
        return result;
    if (result == 0)
        return tar_bad(reader->err, "the archive is truncated");
    *out = reader->buffer + reader->start;
    reader->start += size;
    return 0;
}

int tar_skip(struct tar_reader *reader, uint64_t size)
{
    while (size > 0) {
        size_t count = reader->end - reader->start;
        int result;

        if (count == 0) {
            if ((result = fill(reader)) < 0)
                return result;
            if (result == 0)
                return tar_bad(reader->err, "the archive is truncated");
            continue;
        }
        if (count > size)
            count = (size_t)size;
        reader->start += count;
        size -= count;
    }
    return 0;
}

size_t tar_padding(uint64_t size)
{
    return (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

/* The body of an extended header, NUL-terminated. */
static int read_body(struct tar_reader *reader, uint64_t size, uint64_t max, char **out)
{
    TSC_AUTO_FREE char *body = NULL;
    size_t done = 0;
    int result;

    if (size > max)
        return tar_bad(reader->err, "an extended header has %llu bytes", (unsigned long long)size);
    body = malloc((size_t)size + 1);
    if (body == NULL)
        return tsc_fail(reader->err, ENOMEM, "malloc", "extended header");
    while (done < size) {
        const unsigned char *piece = NULL;
        size_t count = (size_t)size - done < TAR_BLOCK ? (size_t)size - done : TAR_BLOCK;

        if ((result = tar_take(reader, count, &piece)) < 0)
            return result;
        memcpy(body + done, piece, count);
        done += count;
    }
    body[size] = 0;
    if ((result = tar_skip(reader, tar_padding(size))) < 0)
        return result;
    *out = body;
    body = NULL;
    return 0;
}

static int read_long(struct tar_reader *reader, uint64_t size, char **out)
{
    char *text = NULL;
    int result = read_body(reader, size, TAR_PATH_MAX + 1, &text);

    if (result < 0)
        return result;
    free(*out);
    *out = text;
    if (strlen(text) > TAR_PATH_MAX)
        return tar_bad(reader->err, "a GNU long name is longer than %u bytes", TAR_PATH_MAX);
    return text[0] == 0 ? tar_bad(reader->err, "a GNU long name is empty") : 0;
}

/*
 * Takes one header that describes the next one. Its own size counts, never one from a PAX header before it: readers
 * that disagree on this see different archives.
 */
static int read_extension(struct tar_reader *reader, const struct tar_header *header)
{
    char *records = NULL;
    int result;

    if (header->type == 'L')
        return read_long(reader, header->size, &reader->long_name);
    if (header->type == 'K')
        return read_long(reader, header->size, &reader->long_link);
    if ((result = read_body(reader, header->size, TAR_PAX_MAX, &records)) < 0)
        return result;
    return tar_parse_pax(header->type == 'g' ? &reader->global : &reader->pax, records, (size_t)header->size,
                         header->type == 'g', reader->err);
}

static void forget_extensions(struct tar_reader *reader)
{
    tar_clear_pax(&reader->pax);
    free(reader->long_name);
    free(reader->long_link);
    reader->long_name = reader->long_link = NULL;
}

static bool has_extensions(const struct tar_reader *reader)
{
    return reader->pax.records != NULL || reader->long_name != NULL || reader->long_link != NULL;
}

static bool has_body(char type)
{
    return type < '1' || type > '6';
}

static int set_owner(struct tar_reader *reader, const struct tar_header *header, struct tar_entry *entry)
{
    const struct tar_pax *pax = &reader->pax, *global = &reader->global;
    uint64_t uid = pax->has_uid ? pax->uid : global->has_uid ? global->uid : header->uid;
    uint64_t gid = pax->has_gid ? pax->gid : global->has_gid ? global->gid : header->gid;

    if (uid >= UINT32_MAX || gid >= UINT32_MAX)
        return tar_bad(reader->err, "owner %llu:%llu is out of range", (unsigned long long)uid,
                       (unsigned long long)gid);
    entry->uid = (uint32_t)uid;
    entry->gid = (uint32_t)gid;
    entry->mode = header->mode;
    entry->major = header->major;
    entry->minor = header->minor;
    entry->mtime = pax->has_mtime      ? pax->mtime
                   : global->has_mtime ? global->mtime
                                       : (struct timespec){ .tv_sec = header->mtime };
    return 0;
}

static void set_names(struct tar_reader *reader, const struct tar_header *header)
{
    const struct tar_pax *pax = &reader->pax;
    /* A GNU name beats a PAX name, as in Go's archive/tar, which most images were made with. */
    const char *name = reader->long_name   ? reader->long_name
                       : pax->sparse_name  ? pax->sparse_name
                       : pax->path         ? pax->path
                                           : header->name;
    const char *link = reader->long_link ? reader->long_link : pax->linkpath ? pax->linkpath : header->link;

    snprintf(reader->name, sizeof(reader->name), "%s", name);
    snprintf(reader->link, sizeof(reader->link), "%s", link);
}

static int make_entry(struct tar_reader *reader, const unsigned char *block, const struct tar_header *header,
                      struct tar_entry *entry)
{
    size_t length;
    int result;

    *entry = (struct tar_entry){ .type = header->type, .name = reader->name, .link = reader->link };
    set_names(reader, header);
    if ((result = set_owner(reader, header, entry)) < 0)
        return result;
    if (entry->type == 0 || entry->type == '7')
        entry->type = '0';
    reader->is_sparse = false;
    reader->position = 0;
    reader->stored = !has_body(header->type) ? 0 : reader->pax.has_size ? reader->pax.size : header->size;
    reader->padding = tar_padding(reader->stored);
    entry->size = reader->stored;
    if (tar_is_sparse(reader, header) && (result = tar_read_sparse(reader, block, header, entry)) < 0)
        return result;
    length = strlen(reader->name);
    if (entry->type == '0' && length > 0 && reader->name[length - 1] == '/') {
        if (entry->size > 0)
            return tar_bad(reader->err, "a directory has content");
        entry->type = '5'; /* v7 archives have no other way to say it */
    }
    return 1;
}

static int read_header(struct tar_reader *reader, unsigned char *block)
{
    const unsigned char *at = NULL;
    int result = require(reader, TAR_BLOCK);

    if (result < 0)
        return result;
    if (result == 0) {
        /* Some writers leave the final zero blocks out; anything between is a cut. */
        if (reader->start == reader->end && !has_extensions(reader))
            return 0;
        return tar_bad(reader->err, "the archive is truncated");
    }
    if ((result = tar_take(reader, TAR_BLOCK, &at)) < 0)
        return result;
    memcpy(block, at, TAR_BLOCK);
    if (!tar_is_zero_block(block))
        return 1;
    if (has_extensions(reader))
        return tar_bad(reader->err, "the archive ends after an extended header");
    /* Readers disagree on members after a single zero block, so there must be none. */
    if ((result = require(reader, TAR_BLOCK)) <= 0)
        return result;
    return tar_is_zero_block(reader->buffer + reader->start) ? 0 : tar_bad(reader->err, "a zero block amid headers");
}

int tar_next(struct tar_reader *reader, struct tar_entry *entry)
{
    unsigned char block[TAR_BLOCK];
    struct tar_header header;
    int result = tar_skip(reader, reader->stored);

    if (result == 0)
        result = tar_skip(reader, reader->padding);
    if (result < 0)
        return result;
    reader->stored = 0;
    reader->padding = 0;
    forget_extensions(reader);
    for (;;) {
        if ((result = read_header(reader, block)) <= 0)
            return result;
        if ((result = tar_parse_header(block, &header, reader->err)) < 0)
            return result;
        if (strchr("LKxg", header.type) == NULL || header.type == 0)
            return make_entry(reader, block, &header, entry);
        if ((result = read_extension(reader, &header)) < 0)
            return result;
    }
}

int tar_read(struct tar_reader *reader, const void **piece, size_t *size, uint64_t *offset)
{
    uint64_t left = reader->stored;
    int result;

    while (reader->is_sparse && reader->extent < reader->sparse.count &&
           reader->extent_done == reader->sparse.extents[reader->extent].length) {
        reader->extent++;
        reader->extent_done = 0;
    }
    if (left == 0)
        return 0;
    *offset = reader->position;
    if (reader->is_sparse) {
        struct tar_extent extent = reader->sparse.extents[reader->extent];

        *offset = extent.offset + reader->extent_done;
        left = extent.length - reader->extent_done;
    }
    if (reader->start == reader->end) {
        if ((result = fill(reader)) < 0)
            return result;
        if (result == 0)
            return tar_bad(reader->err, "the archive is truncated");
    }
    *size = reader->end - reader->start;
    if (*size > left)
        *size = (size_t)left;
    *piece = reader->buffer + reader->start;
    reader->start += *size;
    reader->stored -= *size;
    reader->position += *size;
    reader->extent_done += *size;
    return 1;
}

int tar_next_xattr(const struct tar_reader *reader, size_t *position, const char **name, const void **value,
                   size_t *size)
{
    static const char prefix[] = "SCHILY.xattr.";
    const char *key, *text;

    while (tar_next_record(&reader->pax, position, &key, &text, size))
        if (strncmp(key, prefix, sizeof(prefix) - 1) == 0) {
            *name = key + sizeof(prefix) - 1;
            *value = text;
            return 1;
        }
    return 0;
}

int tar_drain(struct tar_reader *reader)
{
    int result;

    do {
        reader->start = reader->end;
        result = fill(reader);
    } while (result > 0);
    return result;
}
