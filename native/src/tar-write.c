/*
 * A streaming writer of tar archives: ustar, with PAX records for what does not fit. Names and links are bytes, as in every
 * other tar. See POSIX.1-2017, pax, "EXTENDED DESCRIPTION".
 */
#include "tar-write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { name_size = 100, buffer_size = 256 * 1024 };
#define OCTAL_11 077777777777ull /* the largest number in a field of 12 bytes */
#define OCTAL_7 07777777u

int tar_write_open(struct tar_writer *writer, int fd, struct tsc_err *err)
{
    *writer = (struct tar_writer){ .fd = fd, .err = err, .buffer = malloc(buffer_size) };
    return writer->buffer == NULL ? tsc_fail(err, ENOMEM, "malloc", "archive") : 0;
}

static int flush(struct tar_writer *writer)
{
    int result = tsc_write_all(writer->fd, writer->buffer, writer->used);

    writer->used = 0;
    return result < 0 ? tsc_fail(writer->err, -result, "write", "archive") : 0;
}

static int put(struct tar_writer *writer, const void *data, size_t size)
{
    const unsigned char *at = data;

    while (size > 0) {
        size_t room = buffer_size - writer->used;
        size_t part = size < room ? size : room;

        memcpy(writer->buffer + writer->used, at, part);
        writer->used += part;
        at += part;
        size -= part;
        if (writer->used == buffer_size && flush(writer) < 0)
            return -writer->err->errnum;
    }
    return 0;
}

static int put_padding(struct tar_writer *writer, uint64_t size)
{
    static const unsigned char zeros[TAR_BLOCK];

    return put(writer, zeros, tar_padding(size));
}

/* Digits and a final NUL; what does not fit is in a PAX record, and 0 here. */
static void put_octal(unsigned char *field, size_t size, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%0*" PRIo64, (int)size - 1, value);
    memcpy(field, strlen(text) < size ? text : "0", strlen(text) < size ? size : 2);
}

static void put_text(unsigned char *field, size_t size, const char *text)
{
    size_t length = strlen(text);

    memcpy(field, text, length < size ? length : size);
}

static int put_header(struct tar_writer *writer, const struct tar_member *member, char type, const char *name,
                      uint64_t size)
{
    unsigned char block[TAR_BLOCK] = { 0 };
    unsigned sum = 0;

    put_text(block, name_size, name);
    put_octal(block + 100, 8, member->mode);
    put_octal(block + 108, 8, member->uid <= OCTAL_7 ? member->uid : 0);
    put_octal(block + 116, 8, member->gid <= OCTAL_7 ? member->gid : 0);
    put_octal(block + 124, 12, size <= OCTAL_11 ? size : 0);
    put_octal(block + 136, 12, member->mtime < 0 ? 0 : (uint64_t)member->mtime);
    memset(block + 148, ' ', 8);
    block[156] = (unsigned char)type;
    if (type != 'x' && member->link != NULL)
        put_text(block + 157, name_size, member->link);
    memcpy(block + 257, "ustar\00000", 8);
    put_octal(block + 329, 8, member->major);
    put_octal(block + 337, 8, member->minor);
    for (size_t i = 0; i < sizeof(block); i++)
        sum += block[i];
    snprintf((char *)block + 148, 8, "%06o", sum);
    return put(writer, block, sizeof(block));
}

/* "LENGTH key=value\n", where LENGTH counts itself. */
int tar_add_record(struct tar_records *records, const char *key, const void *value, size_t size, struct tsc_err *err)
{
    size_t rest = strlen(key) + size + 3; /* space, '=', newline */
    size_t length = rest + 1;
    char digits[24];
    unsigned char *grown;

    while (length != rest + (size_t)snprintf(digits, sizeof(digits), "%zu", length))
        length = rest + strlen(digits);
    if (records->size + length + 1 > TAR_PAX_MAX)
        return tsc_fail(err, E2BIG, "archive", "%s", key);
    grown = realloc(records->data, records->size + length + 1);
    if (grown == NULL)
        return tsc_fail(err, ENOMEM, "malloc", "archive");
    records->data = grown;
    records->size += (size_t)snprintf((char *)grown + records->size, length + 1, "%s %s=", digits, key);
    memcpy(grown + records->size, value, size);
    records->size += size;
    grown[records->size++] = '\n';
    return 0;
}

static int add_number(struct tar_records *records, const char *key, uint64_t value, struct tsc_err *err)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    return tar_add_record(records, key, text, strlen(text), err);
}

static int add_what_does_not_fit(const struct tar_member *member, struct tar_records *records, struct tsc_err *err)
{
    char time[24];
    int result = 0;

    if (strlen(member->name) > name_size)
        result = tar_add_record(records, "path", member->name, strlen(member->name), err);
    if (result == 0 && member->link != NULL && strlen(member->link) > name_size)
        result = tar_add_record(records, "linkpath", member->link, strlen(member->link), err);
    if (result == 0 && member->size > OCTAL_11)
        result = add_number(records, "size", member->size, err);
    if (result == 0 && member->uid > OCTAL_7)
        result = add_number(records, "uid", member->uid, err);
    if (result == 0 && member->gid > OCTAL_7)
        result = add_number(records, "gid", member->gid, err);
    if (result == 0 && member->mtime < 0) {
        snprintf(time, sizeof(time), "%lld", (long long)member->mtime);
        result = tar_add_record(records, "mtime", time, strlen(time), err);
    }
    return result;
}

int tar_write_member(struct tar_writer *writer, const struct tar_member *member, struct tar_records *records)
{
    int result = add_what_does_not_fit(member, records, writer->err);

    if (result == 0 && records->size > 0) {
        struct tar_member extended = { .mode = 0644, .mtime = member->mtime };

        result = put_header(writer, &extended, 'x', "PaxHeaders/member", records->size);
        if (result == 0)
            result = put(writer, records->data, records->size);
        if (result == 0)
            result = put_padding(writer, records->size);
    }
    if (result == 0)
        result = put_header(writer, member, member->type, member->name, member->size);
    free(records->data);
    *records = (struct tar_records){ 0 };
    return result;
}

/* The file may change meanwhile: what it lacks then is zeros, what it has gained is left out. */
int tar_write_content(struct tar_writer *writer, int fd, uint64_t size)
{
    static const unsigned char zeros[TAR_BLOCK];
    uint64_t left = size;

    while (left > 0) {
        size_t room = buffer_size - writer->used;
        ssize_t count = read(fd, writer->buffer + writer->used, left < room ? (size_t)left : room);

        if (count < 0)
            return tsc_fail(writer->err, errno, "read", "content");
        if (count == 0)
            break;
        writer->used += (size_t)count;
        left -= (uint64_t)count;
        if (writer->used == buffer_size && flush(writer) < 0)
            return -writer->err->errnum;
    }
    while (left > 0) {
        size_t part = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

        if (put(writer, zeros, part) < 0)
            return -writer->err->errnum;
        left -= part;
    }
    return put_padding(writer, size);
}

int tar_write_end(struct tar_writer *writer)
{
    static const unsigned char zeros[2 * TAR_BLOCK];
    int result = put(writer, zeros, sizeof(zeros));

    return result < 0 ? result : flush(writer);
}
