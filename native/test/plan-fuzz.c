/*
 * The decoder of launch plans under a fuzzer or sanitizers. With clang: -fsanitize=fuzzer,address,undefined. Without
 * libFuzzer, define PLAN_FUZZ_MAIN: the arguments are a number of mutations and corpus files; each file is decoded as
 * it is and then that many times changed, in the same way in every run. The output says how many were accepted.
 *
 * plan.c is compiled into this file with a table of its own: the real rows, but what runs an operation only reads its
 * payload, to prove that after a successful decode every value can be read.
 */
#include "../src/plan.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define MAX_ROWS 256

static struct tsc_operation rows[MAX_ROWS];
static size_t row_count;

#define tsc_operations rows
#define tsc_operation_count row_count
#include "../src/plan.c"
#undef tsc_operations
#undef tsc_operation_count

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;
static uint32_t executed, accepted, refused;

static void read_list(struct tsc_reader *payload)
{
    size_t count = 0, seen = 0;
    char **list = tsc_take_list(payload, 2, &count);

    if (list == NULL)
        abort();
    while (list[seen] != NULL)
        sink ^= (uint8_t)strlen(list[seen++]);
    if (seen != count || list[count + 1] != NULL || list[count + 2] != NULL)
        abort(); /* execute(2) fills the spare places */
    free(list);
}

static void read_value(struct tsc_reader *payload, char kind)
{
    struct tsc_bytes bytes;

    switch (kind) {
    case 'u':
        sink ^= (uint8_t)tsc_take_u32(payload);
        break;
    case 'q':
        sink ^= (uint8_t)tsc_take_u64(payload);
        break;
    case 's':
        sink ^= (uint8_t)strlen(tsc_take_string(payload));
        break;
    case 'b':
        bytes = tsc_take_bytes(payload);
        for (uint32_t i = 0; i < bytes.size; i++)
            sink ^= bytes.data[i];
        break;
    case 'l':
        read_list(payload);
        break;
    default:
        abort(); /* a signature that nobody can read */
    }
}

static int read_payload(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint16_t code;

    (void)launch;
    memcpy(&code, payload->at - 8, sizeof(code));
    for (const char *kind = find_operation(code)->signature; *kind != '\0'; kind++)
        read_value(payload, *kind);
    if (payload->bad || payload->at != payload->end)
        abort();
    executed++;
    return executed % 5 == 0 ? tsc_fail(err, EIO, "fuzz", "every fifth fails") : 0;
}

static void take_rows(void)
{
    if (tsc_operation_count > MAX_ROWS)
        abort();
    for (; row_count < tsc_operation_count; row_count++) {
        rows[row_count] = tsc_operations[row_count];
        rows[row_count].run = read_payload;
    }
}

static void run_section(const struct tsc_plan *plan, enum tsc_section section)
{
    struct tsc_failure failure = { 0 };
    bool keep_going = section == TSC_CLEANUP;
    uint32_t before = executed;
    static struct tsc_launch launch; /* the operations here do nothing with it */
    int result = tsc_plan_run(plan, section, &launch, keep_going, &failure);

    if ((result < 0) != (failure.err.errnum != 0))
        abort();
    if ((keep_going || result == 0) && executed - before != plan->counts[section])
        abort(); /* an operation was left out */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tsc_plan plan;
    struct tsc_err err = { 0 };
    /* A copy of just that size, so that a read beyond the end is seen. */
    uint8_t *copy = malloc(size == 0 ? 1 : size);

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    take_rows();
    memset(&plan, 0xa5, sizeof(plan));
    if (tsc_plan_decode(&plan, copy, size, &err) >= 0) {
        accepted++;
    } else {
        refused++;
        if (err.errnum == 0 || err.op[0] == '\0')
            abort(); /* every failure has a reason */
        for (int section = 0; section < TSC_SECTIONS; section++)
            if (plan.counts[section] != 0)
                abort(); /* the shim cleans up after a refused plan: by nothing that was not checked */
    }
    for (int section = 0; section < TSC_SECTIONS; section++)
        run_section(&plan, (enum tsc_section)section);
    free(copy);
    return 0;
}

#ifdef PLAN_FUZZ_MAIN
#define FILE_MAX (1u << 20)

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

static void change_number(uint8_t *data, size_t size, uint32_t *state)
{
    static const uint32_t interesting[] = { 0,          1,          2,          0x7f,       0x80,       0xff,
                                            0xffff,     0x10000,    0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffb,
                                            0xfffffffe, 0xffffffff, 0x3fffffff, 0x40000000 };
    uint32_t value;
    size_t at;

    if (size < sizeof(value))
        return;
    at = next_random(state) % (size - sizeof(value) + 1);
    memcpy(&value, data + at, sizeof(value));
    if (next_random(state) % 2 == 0)
        value = interesting[next_random(state) % (sizeof(interesting) / sizeof(interesting[0]))];
    else
        value += next_random(state) % 17 - 8;
    put_u32(data + at, value);
}

static size_t remove_piece(uint8_t *data, size_t size, uint32_t *state)
{
    size_t at = next_random(state) % size;
    size_t length = 1 + next_random(state) % 16;

    if (length > size - at)
        length = size - at;
    memmove(data + at, data + at + length, size - at - length);
    return size - length;
}

static size_t repeat_piece(uint8_t *data, size_t size, uint32_t *state)
{
    size_t at = next_random(state) % size;
    size_t length = 1 + next_random(state) % 64;

    if (length > size - at)
        length = size - at;
    if (size + length > FILE_MAX)
        return size;
    memmove(data + at + length, data + at, size - at);
    return size + length;
}

static size_t mutate(uint8_t *data, size_t size, uint32_t *state)
{
    for (unsigned count = 1 + next_random(state) % 4; count > 0 && size > 0; count--) {
        switch (next_random(state) % 5) {
        case 0:
            data[next_random(state) % size] = (uint8_t)next_random(state);
            break;
        case 1:
            size = remove_piece(data, size, state);
            break;
        case 2:
            size = repeat_piece(data, size, state);
            break;
        default:
            change_number(data, size, state);
        }
    }
    if (size >= 12 && next_random(state) % 8 != 0)
        put_u32(data + 8, (uint32_t)size); /* or most mutants would be refused for their size alone */
    return size;
}

int main(int argc, char **argv)
{
    static uint8_t original[FILE_MAX], copy[FILE_MAX];
    unsigned long mutations = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    uint32_t state = 2463534242u;

    for (int i = 2; i < argc; i++) {
        int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
        ssize_t size = read(fd, original, sizeof(original));

        close(fd);
        if (size < 0)
            return 1;
        LLVMFuzzerTestOneInput(original, (size_t)size);
        for (unsigned long round = 0; round < mutations; round++) {
            memcpy(copy, original, (size_t)size);
            LLVMFuzzerTestOneInput(copy, mutate(copy, (size_t)size, &state));
        }
    }
    printf("%u accepted, %u refused\n", accepted, refused);
    return 0;
}
#endif
