/* The 512-byte header block. */
#include "tar.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int tar_bad(struct tsc_err *err, const char *fmt, ...)
{
    char text[sizeof(err->detail)];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return tsc_fail(err, EBADMSG, "tar", "%s", text);
}

bool tar_is_zero_block(const unsigned char *block)
{
    for (size_t i = 0; i < TAR_BLOCK; i++)
        if (block[i] != 0)
            return false;
    return true;
}

static int parse_base256(const unsigned char *field, size_t size, int64_t *out)
{
    bool negative = (field[0] & 0x40) != 0;
    uint64_t value = negative ? UINT64_MAX : 0;

    for (size_t i = 0; i < size; i++) {
        unsigned char byte = field[i];

        if (i == 0)
            byte = negative ? (unsigned char)(byte | 0x80) : (unsigned char)(byte & 0x7f);
        /* The byte that falls off the top must be a copy of the sign. */
        if ((value >> 56) != (negative ? 0xffu : 0u))
            return -ERANGE;
        value = (value << 8) | byte;
    }
    if ((value >> 63) != (negative ? 1u : 0u))
        return -ERANGE;
    *out = (int64_t)value;
    return 0;
}

int tar_parse_number(const unsigned char *field, size_t size, int64_t *out)
{
    uint64_t value = 0;
    size_t i = 0;

    if ((field[0] & 0x80) != 0)
        return parse_base256(field, size, out);
    while (i < size && field[i] == ' ')
        i++;
    for (; i < size && field[i] >= '0' && field[i] <= '7'; i++) {
        if (value >> 60 != 0)
            return -ERANGE;
        value = value << 3 | (uint64_t)(field[i] - '0');
    }
    for (; i < size && field[i] != 0; i++) /* what follows a NUL is not part of the field */
        if (field[i] != ' ')
            return -EINVAL;
    *out = (int64_t)value;
    return 0;
}

static int check_sum(const unsigned char *block, struct tsc_err *err)
{
    int64_t expected = 0, sum_unsigned = 0, sum_signed = 0;

    for (size_t i = 0; i < TAR_BLOCK; i++) {
        unsigned char byte = i >= 148 && i < 156 ? ' ' : block[i];

        sum_unsigned += byte;
        sum_signed += (signed char)byte; /* historic writers summed signed chars */
    }
    if (tar_parse_number(block + 148, 8, &expected) < 0 || (expected != sum_unsigned && expected != sum_signed))
        return tar_bad(err, "the checksum of a header is wrong");
    return 0;
}

struct field {
    const char *label;
    size_t offset, size;
    bool may_be_negative;
};

static int number(const unsigned char *block, struct field field, int64_t *out, struct tsc_err *err)
{
    if (tar_parse_number(block + field.offset, field.size, out) < 0)
        return tar_bad(err, "the %s field is no number", field.label);
    if (*out < 0 && !field.may_be_negative)
        return tar_bad(err, "the %s is negative", field.label);
    return 0;
}

static size_t copy_text(char *to, const unsigned char *from, size_t size)
{
    size_t length = strnlen((const char *)from, size);

    memcpy(to, from, length);
    to[length] = 0;
    return length;
}

static void parse_name(const unsigned char *block, struct tar_header *header, bool ustar)
{
    /* star keeps access and change times at the end of the prefix and marks that with a trailer. */
    size_t prefix_size = memcmp(block + 508, "tar", 4) == 0 ? 131 : 155;
    size_t length = 0;

    if (ustar && block[345] != 0) {
        length = copy_text(header->name, block + 345, prefix_size);
        header->name[length++] = '/';
    }
    copy_text(header->name + length, block, 100);
    copy_text(header->link, block + 157, 100);
}

int tar_parse_header(const unsigned char *block, struct tar_header *header, struct tsc_err *err)
{
    int64_t mode, uid, gid, size, major = 0, minor = 0;
    bool ustar = memcmp(block + 257, "ustar", 5) == 0;
    int result = check_sum(block, err);

    if (result < 0)
        return result;
    header->gnu = memcmp(block + 257, "ustar  ", 8) == 0;
    header->type = (char)block[156];
    if ((result = number(block, (struct field){ "mode", 100, 8, false }, &mode, err)) < 0 ||
        (result = number(block, (struct field){ "uid", 108, 8, false }, &uid, err)) < 0 ||
        (result = number(block, (struct field){ "gid", 116, 8, false }, &gid, err)) < 0 ||
        (result = number(block, (struct field){ "size", 124, 12, false }, &size, err)) < 0 ||
        (result = number(block, (struct field){ "mtime", 136, 12, true }, &header->mtime, err)) < 0)
        return result;
    if ((header->type == '3' || header->type == '4') && ustar &&
        ((result = number(block, (struct field){ "major device", 329, 8, false }, &major, err)) < 0 ||
         (result = number(block, (struct field){ "minor device", 337, 8, false }, &minor, err)) < 0))
        return result;
    if (major > 0xfff || minor > 0xfffff)
        return tar_bad(err, "device number %lld:%lld is out of range", (long long)major, (long long)minor);
    header->mode = (uint32_t)(mode & 07777);
    header->uid = (uint64_t)uid;
    header->gid = (uint64_t)gid;
    header->size = (uint64_t)size;
    header->major = (uint32_t)major;
    header->minor = (uint32_t)minor;
    parse_name(block, header, ustar && !header->gnu);
    return 0;
}
