/*
 * The report on descriptor 3. Records, each a letter and fields that end with NUL:
 *   D path              directory that is implied by an entry below it
 *   H path, target      hard link to something that is not in this layer
 *   R uid:gid:mode, mtime   the archive has an entry for the root directory
 *   O                   the root directory is opaque
 *   a, c, d path        a container has added, changed, deleted something
 *   F numbers, target   what is at a path, see container-files.c
 *   W entry, text       something was left out
 *   S entries, bytes    success; the last record
 *   E errno, operation, detail, entry     failure; the last record
 */
#include "layer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { report_fd = 3, warnings_max = 100 };

static char pending[16 * 1024];
static size_t pending_size;
static unsigned warnings;

void layer_report_flush(void)
{
    /* A reader that is gone has killed us by SIGPIPE; other failures show as a report without its last record. */
    (void)tsc_write_all(report_fd, pending, pending_size);
    pending_size = 0;
}

static void put(const char *text, size_t size)
{
    if (pending_size + size > sizeof(pending))
        layer_report_flush();
    memcpy(pending + pending_size, text, size);
    pending_size += size;
}

void layer_report(char type, const char *first, const char *second)
{
    put(&type, 1);
    if (first != NULL)
        put(first, strlen(first) + 1);
    if (second != NULL)
        put(second, strlen(second) + 1);
}

void layer_report_number(char type, uint64_t first, uint64_t second)
{
    char a[24], b[24];

    snprintf(a, sizeof(a), "%" PRIu64, first);
    snprintf(b, sizeof(b), "%" PRIu64, second);
    layer_report(type, a, b);
}

void layer_warn(const char *entry, const char *what)
{
    if (warnings++ < warnings_max)
        layer_report('W', entry, what);
}

int layer_report_end(int result, const struct tsc_err *err, const char *entry)
{
    if (result < 0) {
        char number[16];

        snprintf(number, sizeof(number), "%d", err->errnum);
        layer_report('E', number, err->op);
        put(err->detail, strlen(err->detail) + 1);
        put(entry, strlen(entry) + 1);
    }
    layer_report_flush();
    return result < 0 ? 1 : 0;
}
