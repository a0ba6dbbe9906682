/*
 * The archive reader under a fuzzer or sanitizers. With clang: -fsanitize=fuzzer,address,undefined. Without libFuzzer,
 * define TAR_FUZZ_MAIN: the arguments are a number of mutations and corpus files; each file is read as it is and then
 * that many times with a few bytes changed, the same ones in every run.
 */
#include "../src/layer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

static int read_content(struct tar_reader *reader, const struct tar_entry *entry)
{
    const void *piece;
    const char *name;
    size_t length, position = 0;
    uint64_t offset;
    int result;

    while (tar_next_xattr(reader, &position, &name, &piece, &length) > 0)
        sink ^= (uint8_t)(strlen(name) + (length > 0 ? ((const uint8_t *)piece)[length - 1] : 0));
    while ((result = tar_read(reader, &piece, &length, &offset)) > 0) {
        if (length == 0 || offset + length > entry->size)
            abort(); /* the writer relies on both */
        sink ^= ((const uint8_t *)piece)[length - 1];
    }
    return result;
}

static void check_name(const char *name)
{
    static char clean[TAR_PATH_MAX + 1];
    struct tsc_err err = { 0 };
    enum layer_name kind;
    const char *hidden;

    if (layer_clean_name(name, clean, &err) < 0 || layer_classify(clean, &kind, &hidden, &err) < 0)
        return;
    if (clean[0] == '/' || strncmp(clean, "../", 3) == 0 || strstr(clean, "/../") != NULL || strstr(clean, "//") != NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tar_reader reader;
    struct tsc_err err = { 0 };
    struct tar_entry entry;
    int fd = memfd_create("archive", MFD_CLOEXEC), result;

    if (fd < 0 || tsc_write_all(fd, data, size) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        abort();
    result = tar_open(&reader, fd, &err);
    while (result == 0 && (result = tar_next(&reader, &entry)) > 0) {
        check_name(entry.name);
        check_name(entry.link);
        result = read_content(&reader, &entry);
    }
    if (result < 0 && err.errnum == 0)
        abort(); /* every failure has a reason */
    tar_close(&reader);
    close(fd);
    return 0;
}

#ifdef TAR_FUZZ_MAIN
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

/* Puts the right checksum into a header, or most mutants would be refused by that alone. */
static void repair(uint8_t *block)
{
    unsigned sum = 8 * ' ';
    char text[9];

    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += i >= 148 && i < 156 ? 0 : block[i];
    snprintf(text, sizeof(text), "%06o", sum & 0777777u);
    memcpy(block + 148, text, 6);
    block[154] = 0;
    block[155] = ' ';
}

static void mutate(uint8_t *data, size_t size, uint32_t *state)
{
    for (unsigned count = 1 + next_random(state) % 4; count > 0; count--) {
        static const uint8_t interesting[] = { 0, 0xff, 0x80, '0', '7', '9', '/', '.', '=', '\n', ' ', 'L', 'x', 'S', '-', 1 };
        size_t at = next_random(state) % size;

        data[at] = interesting[next_random(state) % sizeof(interesting)];
        at -= at % TAR_BLOCK;
        if (next_random(state) % 4 != 0 && at + TAR_BLOCK <= size)
            repair(data + at);
    }
}

int main(int argc, char **argv)
{
    unsigned long mutations = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    uint32_t state = 2463534242u;

    for (int i = 2; i < argc; i++) {
        static uint8_t original[1 << 20], copy[1 << 20];
        int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
        ssize_t size = read(fd, original, sizeof(original));

        close(fd);
        if (size <= 0)
            return 1;
        LLVMFuzzerTestOneInput(original, (size_t)size);
        for (unsigned long round = 0; round < mutations; round++) {
            memcpy(copy, original, (size_t)size);
            mutate(copy, (size_t)size, &state);
            LLVMFuzzerTestOneInput(copy, (size_t)size - (round % 3 == 0 ? next_random(&state) % (size_t)size : 0));
        }
    }
    return 0;
}
#endif
