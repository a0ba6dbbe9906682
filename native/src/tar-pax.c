/* PAX extended headers: records "LENGTH KEY=VALUE\n". */
#include "tar.h"

#include <string.h>

int tar_parse_decimal(const char *text, size_t size, uint64_t *out)
{
    uint64_t value = 0;

    if (size == 0)
        return -EINVAL;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -EINVAL;
        if (value > (INT64_MAX - 9) / 10)
            return -ERANGE;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *out = value;
    return 0;
}

/* Seconds with an optional sign and fraction; digits beyond the nanosecond are dropped. */
static int parse_time(const char *text, size_t size, struct timespec *out)
{
    bool negative = size > 0 && text[0] == '-';
    const char *at = text + (negative ? 1 : 0);
    size_t left = size - (negative ? 1 : 0);
    const char *dot = memchr(at, '.', left);
    size_t whole = dot == NULL ? left : (size_t)(dot - at);
    uint64_t seconds = 0;
    long nanoseconds = 0, scale = 100000000;

    if (tar_parse_decimal(at, whole, &seconds) < 0)
        return -EINVAL;
    for (size_t i = whole + 1; i < left; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -EINVAL;
        nanoseconds += (at[i] - '0') * scale;
        scale /= 10;
    }
    out->tv_sec = negative ? -(time_t)seconds : (time_t)seconds;
    out->tv_nsec = nanoseconds;
    if (negative && nanoseconds > 0) {
        out->tv_sec -= 1;
        out->tv_nsec = 1000000000 - nanoseconds;
    }
    return 0;
}

bool tar_next_record(const struct tar_pax *pax, size_t *position, const char **key, const char **value, size_t *size)
{
    const char *start = pax->records + *position;
    size_t length = 0;

    if (pax->records == NULL || *position >= pax->length)
        return false;
    for (*key = start; **key != ' '; ++*key) /* the records were checked when they were read */
        length = length * 10 + (size_t)(**key - '0');
    ++*key;
    *value = *key + strlen(*key) + 1;
    *size = length - (size_t)(*value - start) - 1;
    *position += length;
    return true;
}

/* Finds the parts of one record, checks them and separates them by NUL. Returns its length or 0. */
static size_t split_record(char *record, size_t available)
{
    char *space = memchr(record, ' ', available < 9 ? available : 9);
    char *equals;
    uint64_t length;

    if (space == NULL || record[0] == '0' || tar_parse_decimal(record, (size_t)(space - record), &length) < 0)
        return 0;
    if (length > available || length < (size_t)(space - record) + 4 || record[length - 1] != '\n')
        return 0;
    equals = memchr(space, '=', (size_t)(record + length - space));
    if (equals == NULL || equals == space + 1 || memchr(space, 0, (size_t)(equals - space)) != NULL)
        return 0;
    *equals = 0;
    record[length - 1] = 0;
    return (size_t)length;
}

static int set_number(const char *value, size_t size, uint64_t max, uint64_t *out, bool *has)
{
    *has = size > 0; /* an empty value takes back what was said before */
    if (*has && (tar_parse_decimal(value, size, out) < 0 || *out > max))
        return -EINVAL;
    return 0;
}

static int set_path(const char *value, size_t size, const char **out)
{
    if (memchr(value, 0, size) != NULL || size > TAR_PATH_MAX)
        return -EINVAL;
    *out = size == 0 ? NULL : value;
    return 0;
}

static int set_version(const char *value, size_t size, int *out)
{
    uint64_t number;

    if (tar_parse_decimal(value, size, &number) < 0 || number > 9)
        return -EINVAL;
    *out = (int)number;
    return 0;
}

static int apply_sparse_record(struct tar_pax *pax, const char *key, const char *value, size_t size)
{
    if (strcmp(key, "name") == 0)
        return set_path(value, size, &pax->sparse_name);
    if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0)
        return set_number(value, size, INT64_MAX, &pax->sparse_size, &pax->has_sparse_size);
    if (strcmp(key, "major") == 0)
        return set_version(value, size, &pax->sparse_major);
    if (strcmp(key, "minor") == 0)
        return set_version(value, size, &pax->sparse_minor);
    if (strcmp(key, "map") == 0) {
        pax->sparse_map = value;
        return memchr(value, 0, size) == NULL ? 0 : -EINVAL;
    }
    if (strcmp(key, "offset") == 0)
        pax->sparse_pairs = true; /* read again, in order, when the map is built */
    return 0;
}

static int apply_record(struct tar_pax *pax, const char *key, const char *value, size_t size)
{
    if (strcmp(key, "path") == 0)
        return set_path(value, size, &pax->path);
    if (strcmp(key, "linkpath") == 0)
        return set_path(value, size, &pax->linkpath);
    if (strcmp(key, "size") == 0)
        return set_number(value, size, INT64_MAX, &pax->size, &pax->has_size);
    if (strcmp(key, "uid") == 0)
        return set_number(value, size, UINT32_MAX - 1, &pax->uid, &pax->has_uid);
    if (strcmp(key, "gid") == 0)
        return set_number(value, size, UINT32_MAX - 1, &pax->gid, &pax->has_gid);
    if (strcmp(key, "mtime") == 0) {
        pax->has_mtime = size > 0;
        return size > 0 ? parse_time(value, size, &pax->mtime) : 0;
    }
    if (strncmp(key, "GNU.sparse.", 11) == 0)
        return apply_sparse_record(pax, key + 11, value, size);
    return 0;
}

/* A name or size for every later member can only be an attempt to make two readers see two archives. */
static bool is_for_one_member(const char *key)
{
    return strcmp(key, "path") == 0 || strcmp(key, "linkpath") == 0 || strcmp(key, "size") == 0 ||
           strncmp(key, "GNU.sparse.", 11) == 0;
}

void tar_clear_pax(struct tar_pax *pax)
{
    free(pax->records);
    *pax = (struct tar_pax){ .sparse_major = -1, .sparse_minor = -1 };
}

int tar_parse_pax(struct tar_pax *pax, char *records, size_t length, bool global, struct tsc_err *err)
{
    size_t position = 0, size;
    const char *key, *value;

    tar_clear_pax(pax);
    pax->records = records;
    while (position < length) {
        size_t record = split_record(records + position, length - position);

        if (record == 0)
            return tar_bad(err, "a PAX record is malformed");
        pax->length = position + record;
        tar_next_record(pax, &position, &key, &value, &size);
        if (global && is_for_one_member(key))
            return tar_bad(err, "a global PAX header sets '%.40s'", key);
        if (apply_record(pax, key, value, size) < 0)
            return tar_bad(err, "the PAX record '%.40s' has a bad value", key);
    }
    return 0;
}
