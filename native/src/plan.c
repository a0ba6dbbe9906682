#include "launch.h"

#include <string.h>

static bool has(struct tsc_reader *reader, size_t size)
{
    if (reader->bad || (size_t)(reader->end - reader->at) < size) {
        reader->bad = true;
        return false;
    }
    return true;
}

static uint16_t take_u16(struct tsc_reader *reader)
{
    uint16_t value = 0;

    if (has(reader, sizeof(value))) {
        memcpy(&value, reader->at, sizeof(value));
        reader->at += sizeof(value);
    }
    return value;
}

uint32_t tsc_take_u32(struct tsc_reader *reader)
{
    uint32_t value = 0;

    if (has(reader, sizeof(value))) {
        memcpy(&value, reader->at, sizeof(value));
        reader->at += sizeof(value);
    }
    return value;
}

uint64_t tsc_take_u64(struct tsc_reader *reader)
{
    uint64_t value = 0;

    if (has(reader, sizeof(value))) {
        memcpy(&value, reader->at, sizeof(value));
        reader->at += sizeof(value);
    }
    return value;
}

struct tsc_bytes tsc_take_bytes(struct tsc_reader *reader)
{
    struct tsc_bytes bytes = { .data = reader->at, .size = tsc_take_u32(reader) };

    bytes.data = reader->at;
    if (!has(reader, bytes.size))
        bytes.size = 0;
    reader->at += bytes.size;
    return bytes;
}

const char *tsc_take_string(struct tsc_reader *reader)
{
    uint32_t size = tsc_take_u32(reader);
    const char *text = (const char *)reader->at;

    if (!has(reader, (size_t)size + 1) || memchr(text, '\0', size) != NULL || text[size] != '\0') {
        reader->bad = true;
        return "";
    }
    reader->at += (size_t)size + 1;
    return text;
}

char **tsc_take_list(struct tsc_reader *reader, size_t spare, size_t *count)
{
    uint32_t wanted = tsc_take_u32(reader);
    char **list = NULL;

    /* Each string takes five bytes at least, so `wanted` is bounded by the size of the document. */
    if (reader->bad || wanted > (size_t)(reader->end - reader->at) / 5)
        wanted = 0;
    list = calloc((size_t)wanted + spare + 1, sizeof(*list));
    if (list == NULL)
        return NULL;
    for (uint32_t i = 0; i < wanted; i++)
        list[i] = (char *)(uintptr_t)tsc_take_string(reader); /* execve(2) wants it without const and does not write */
    *count = wanted;
    return list;
}

static const struct tsc_operation *find_operation(uint16_t code)
{
    for (size_t i = 0; i < tsc_operation_count; i++)
        if (tsc_operations[i].code == code)
            return &tsc_operations[i];
    return NULL;
}

static void skip_value(struct tsc_reader *reader, char kind)
{
    switch (kind) {
    case 'u':
        tsc_take_u32(reader);
        break;
    case 'q':
        tsc_take_u64(reader);
        break;
    case 'b':
        tsc_take_bytes(reader);
        break;
    case 's':
        tsc_take_string(reader);
        break;
    default: /* 'l' */
        for (uint32_t count = tsc_take_u32(reader); count > 0 && !reader->bad; count--)
            tsc_take_string(reader);
    }
}

/* Takes one operation off the section and gives its payload. */
static const struct tsc_operation *take_operation(struct tsc_reader *reader, struct tsc_reader *payload)
{
    const struct tsc_operation *operation = find_operation(take_u16(reader));
    uint16_t reserved = take_u16(reader);
    struct tsc_bytes body = tsc_take_bytes(reader);

    if (reader->bad || reserved != 0)
        return NULL;
    *payload = (struct tsc_reader){ .at = body.data, .end = body.data + body.size };
    return operation;
}

static int check_section(struct tsc_reader *reader, uint32_t count, enum tsc_section section, uint32_t flags,
                         struct tsc_err *err)
{
    bool sharing = (flags & TSC_PLAN_SHARES_MEMORY) != 0;

    if (sharing && section == TSC_PARENT && count > 0)
        return tsc_fail(err, EINVAL, "decode", "stage parent in a plan that shares memory");
    for (uint32_t i = 0; i < count; i++) {
        struct tsc_reader payload;
        const struct tsc_operation *operation = take_operation(reader, &payload);

        if (operation == NULL)
            return tsc_fail(err, EINVAL, "decode", "section %d, operation %u: unknown or cut off", (int)section, i);
        if ((operation->sections & (1u << section)) == 0)
            return tsc_fail(err, EINVAL, "decode", "%s does not belong in section %d", operation->name, (int)section);
        if (sharing && (operation->sections & TSC_NOT_SHARING) != 0)
            return tsc_fail(err, EINVAL, "decode", "%s in a plan that shares memory", operation->name);
        for (const char *kind = operation->signature; *kind != '\0'; kind++)
            skip_value(&payload, *kind);
        if (payload.bad || payload.at != payload.end)
            return tsc_fail(err, EINVAL, "decode", "%s has a wrong payload", operation->name);
    }
    return 0;
}

static int decode(struct tsc_plan *plan, const uint8_t *data, size_t size, struct tsc_err *err)
{
    struct tsc_reader reader = { .at = data, .end = data + size };

    if (size < 16 || size > TSC_PLAN_MAX || memcmp(data, "TSCP", 4) != 0)
        return tsc_fail(err, EINVAL, "decode", "not a launch plan");
    reader.at += 4;
    if (take_u16(&reader) != TSC_PLAN_VERSION)
        return tsc_fail(err, EINVAL, "decode", "launch plan of another version");
    plan->flags = take_u16(&reader);
    if ((plan->flags & ~TSC_PLAN_SHARES_MEMORY) != 0 || tsc_take_u32(&reader) != size)
        return tsc_fail(err, EINVAL, "decode", "launch plan of another size or with unknown flags");
    plan->namespaces = tsc_take_u32(&reader);

    for (int section = 0; section < TSC_SECTIONS; section++) {
        plan->counts[section] = tsc_take_u32(&reader);
        plan->sections[section] = reader;
        if (check_section(&reader, plan->counts[section], (enum tsc_section)section, plan->flags, err) < 0)
            return -EINVAL;
    }
    if (reader.bad || reader.at != reader.end)
        return tsc_fail(err, EINVAL, "decode", "launch plan has a wrong size");
    return 0;
}

int tsc_plan_decode(struct tsc_plan *plan, const uint8_t *data, size_t size, struct tsc_err *err)
{
    int result = decode(plan, data, size, err);

    if (result < 0)
        *plan = (struct tsc_plan){ 0 }; /* a plan that is refused has no clean-up either */
    return result;
}

int tsc_plan_run(const struct tsc_plan *plan, enum tsc_section section, struct tsc_launch *launch, bool keep_going,
                 struct tsc_failure *failure)
{
    struct tsc_reader reader = plan->sections[section];
    int result = 0;

    for (uint32_t i = 0; i < plan->counts[section]; i++) {
        struct tsc_reader payload;
        const struct tsc_operation *operation = take_operation(&reader, &payload);
        struct tsc_err err = { 0 };

        if (launch->skipped > 0) {
            launch->skipped--;
            continue;
        }
        launch->step++;
        if (operation == NULL || operation->run(launch, &payload, &err) >= 0)
            continue; /* NULL cannot be: the plan was checked */
        if (result == 0) {
            failure->section = section;
            failure->index = i;
            failure->err = err;
            result = err.errnum > 0 ? -err.errnum : -EIO;
        }
        if (!keep_going)
            break;
    }
    return result;
}
