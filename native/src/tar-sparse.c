/* Maps of sparse files: old GNU, and PAX 0.0, 0.1, 1.0. */
#include "tar.h"

#include <string.h>

static int add_extent(struct tar_sparse *sparse, uint64_t offset, uint64_t length, struct tsc_err *err)
{
    if (sparse->count >= TAR_EXTENTS_MAX)
        return tar_bad(err, "a sparse file has more than %u extents", TAR_EXTENTS_MAX);
    if (sparse->count == sparse->capacity) {
        size_t capacity = sparse->capacity == 0 ? 64 : sparse->capacity * 2;
        struct tar_extent *bigger = realloc(sparse->extents, capacity * sizeof(*bigger));

        if (bigger == NULL)
            return tsc_fail(err, ENOMEM, "realloc", "sparse map");
        sparse->extents = bigger;
        sparse->capacity = capacity;
    }
    sparse->extents[sparse->count++] = (struct tar_extent){ offset, length };
    return 0;
}

static int add_header_extents(struct tar_sparse *sparse, const unsigned char *at, size_t count, struct tsc_err *err)
{
    for (size_t i = 0; i < count && at[i * 24] != 0; i++) {
        int64_t offset, length;
        int result;

        if (tar_parse_number(at + i * 24, 12, &offset) < 0 || tar_parse_number(at + i * 24 + 12, 12, &length) < 0 ||
            offset < 0 || length < 0)
            return tar_bad(err, "the map of a sparse file is malformed");
        if ((result = add_extent(sparse, (uint64_t)offset, (uint64_t)length, err)) < 0)
            return result;
    }
    return 0;
}

static int parse_map(struct tar_sparse *sparse, const char *map, struct tsc_err *err)
{
    uint64_t pair[2] = { 0, 0 };
    size_t index = 0;

    if (*map == 0)
        return 0;
    for (const char *at = map;; at++) {
        size_t size = strcspn(at, ",");
        int result;

        if (tar_parse_decimal(at, size, &pair[index % 2]) < 0)
            return tar_bad(err, "the map of a sparse file is malformed");
        if (++index % 2 == 0 && (result = add_extent(sparse, pair[0], pair[1], err)) < 0)
            return result;
        at += size;
        if (*at == 0)
            return index % 2 == 0 ? 0 : tar_bad(err, "the map of a sparse file has an odd count");
    }
}

static int parse_pairs(struct tar_sparse *sparse, const struct tar_pax *pax, struct tsc_err *err)
{
    size_t position = 0, size;
    const char *key, *value;
    uint64_t offset = 0, number;
    bool has_offset = false;

    while (tar_next_record(pax, &position, &key, &value, &size)) {
        bool is_offset = strcmp(key, "GNU.sparse.offset") == 0;
        int result;

        if (!is_offset && strcmp(key, "GNU.sparse.numbytes") != 0)
            continue;
        if (is_offset == has_offset || tar_parse_decimal(value, size, &number) < 0)
            return tar_bad(err, "the map of a sparse file is malformed");
        if (is_offset)
            offset = number;
        else if ((result = add_extent(sparse, offset, number, err)) < 0)
            return result;
        has_offset = is_offset;
    }
    return has_offset ? tar_bad(err, "the map of a sparse file has an odd count") : 0;
}

static int parse_sparse_pax(struct tar_sparse *sparse, const struct tar_pax *pax, struct tsc_err *err)
{
    if (!pax->has_sparse_size)
        return tar_bad(err, "a sparse file does not say its size");
    return pax->sparse_map != NULL ? parse_map(sparse, pax->sparse_map, err) : parse_pairs(sparse, pax, err);
}

/* Order, bounds, and that the extents hold exactly `stored` bytes. */
static int check_sparse(const struct tar_sparse *sparse, uint64_t size, uint64_t stored, struct tsc_err *err)
{
    uint64_t end = 0, sum = 0;

    if (size > INT64_MAX)
        return tar_bad(err, "a sparse file is too large");
    for (size_t i = 0; i < sparse->count; i++) {
        struct tar_extent extent = sparse->extents[i];

        if (extent.offset < end || extent.offset > size || extent.length > size - extent.offset)
            return tar_bad(err, "the extents of a sparse file overlap or exceed its size");
        end = extent.offset + extent.length;
        sum += extent.length; /* extents do not overlap, so the sum stays below size */
    }
    if (sum != stored)
        return tar_bad(err, "a sparse file maps %llu bytes but stores %llu", (unsigned long long)sum,
                       (unsigned long long)stored);
    return 0;
}

static int read_gnu_sparse(struct tar_reader *reader, const unsigned char *block, uint64_t *size)
{
    bool more = block[482] != 0;
    int64_t real;
    int result;

    if (tar_parse_number(block + 483, 12, &real) < 0 || real < 0)
        return tar_bad(reader->err, "a sparse file does not say its size");
    *size = (uint64_t)real;
    if ((result = add_header_extents(&reader->sparse, block + 386, 4, reader->err)) < 0)
        return result;
    while (more) {
        const unsigned char *extension;

        if ((result = tar_take(reader, TAR_BLOCK, &extension)) < 0 ||
            (result = add_header_extents(&reader->sparse, extension, 21, reader->err)) < 0)
            return result;
        more = extension[504] != 0;
    }
    return 0;
}

/* One decimal line of the map that precedes the data of a PAX 1.0 sparse file. */
static int read_map_number(struct tar_reader *reader, uint64_t *left, uint64_t *out)
{
    char digits[20];
    size_t count = 0;

    for (;;) {
        const unsigned char *byte;
        int result;

        if (*left == 0 || count == sizeof(digits))
            return tar_bad(reader->err, "the map of a sparse file is malformed");
        if ((result = tar_take(reader, 1, &byte)) < 0)
            return result;
        *left -= 1;
        if (*byte == '\n')
            break;
        digits[count++] = (char)*byte;
    }
    return tar_parse_decimal(digits, count, out) < 0 ? tar_bad(reader->err, "the map of a sparse file is malformed") : 0;
}

static int read_sparse_map(struct tar_reader *reader, uint64_t *stored)
{
    uint64_t before = *stored, count, offset, length, used;
    int result = read_map_number(reader, stored, &count);

    for (; result == 0 && count > 0; count--)
        if ((result = read_map_number(reader, stored, &offset)) == 0 &&
            (result = read_map_number(reader, stored, &length)) == 0)
            result = add_extent(&reader->sparse, offset, length, reader->err);
    if (result < 0)
        return result;
    used = before - *stored;
    if (tar_padding(used) > *stored)
        return tar_bad(reader->err, "the map of a sparse file is malformed");
    *stored -= tar_padding(used);
    return tar_skip(reader, tar_padding(used));
}

int tar_read_sparse(struct tar_reader *reader, const unsigned char *block, const struct tar_header *header,
                    struct tar_entry *entry)
{
    const struct tar_pax *pax = &reader->pax;
    int result = 0;

    reader->sparse.count = 0;
    reader->extent = 0;
    reader->extent_done = 0;
    reader->is_sparse = true;
    if (header->type == 'S') {
        result = read_gnu_sparse(reader, block, &entry->size);
    } else if (pax->sparse_major == 1 && pax->sparse_minor == 0) {
        if (!pax->has_sparse_size)
            return tar_bad(reader->err, "a sparse file does not say its size");
        entry->size = pax->sparse_size;
        result = read_sparse_map(reader, &reader->stored);
    } else if (pax->sparse_major > 0) {
        return tar_bad(reader->err, "sparse format %d.%d is not known", pax->sparse_major, pax->sparse_minor);
    } else {
        entry->size = pax->sparse_size;
        result = parse_sparse_pax(&reader->sparse, pax, reader->err);
    }
    if (result < 0)
        return result;
    entry->type = '0';
    return check_sparse(&reader->sparse, entry->size, reader->stored, reader->err);
}

bool tar_is_sparse(const struct tar_reader *reader, const struct tar_header *header)
{
    const struct tar_pax *pax = &reader->pax;

    if (header->type == 'S')
        return true;
    return (header->type == '0' || header->type == 0) &&
           (pax->sparse_major >= 0 || pax->sparse_map != NULL || pax->sparse_pairs || pax->has_sparse_size);
}
