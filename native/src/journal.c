#include "journal.h"
#include "log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define MICROSECONDS(time) ((unsigned long long)((time) / 1000))

void tsc_journal_take(struct tsc_journal *journal, struct tsc_reader *reader)
{
    journal->file = tsc_take_string(reader);
    journal->subject = tsc_take_string(reader);
}

static bool is_still_at(int fd, const char *path)
{
    struct stat held;
    struct stat there;

    return fstat(fd, &held) == 0 && stat(path, &there) == 0 && held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

/* Whoever has the lock gives the file its other name, and nobody else does. Nobody waits for it. */
static int rotate(int fd, const char *path)
{
    char older[4096];

    if (snprintf(older, sizeof(older), "%s.1", path) >= (int)sizeof(older))
        return -ENAMETOOLONG;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? 0 : -errno;
    if (!is_still_at(fd, path))
        return 0;
    return rename(path, older) < 0 ? -errno : 0;
}

static int append(const struct tsc_journal *journal, const char *head)
{
    struct iovec parts[] = {
        { .iov_base = (char *)head, .iov_len = strlen(head) },
        { .iov_base = (char *)journal->subject, .iov_len = strlen(journal->subject) },
        { .iov_base = "}\n", .iov_len = 2 },
    };
    struct stat status;
    ssize_t size = (ssize_t)(parts[0].iov_len + parts[1].iov_len + parts[2].iov_len);
    TSC_AUTO_FD fd = open(journal->file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    ssize_t written;

    if (fd < 0)
        return -errno;
    written = writev(fd, parts, sizeof(parts) / sizeof(parts[0])); /* one call: nobody's line ends up in another's */
    if (written != size)
        return written < 0 ? -errno : -ENOSPC;
    if (fstat(fd, &status) < 0)
        return -errno;
    return status.st_size < TSC_JOURNAL_MAX ? 0 : rotate(fd, journal->file);
}

/* That something was not told must not keep it from happening. */
static void tell(const struct tsc_journal *journal, const char *head)
{
    int result = append(journal, head);

    if (result < 0)
        fprintf(stderr, "tscontainer-shim: cannot write %s: %s\n", journal->file, strerror(-result));
}

void tsc_journal_started(const struct tsc_journal *journal, int pid)
{
    char head[128];

    if (journal->file[0] == '\0')
        return;
    snprintf(head, sizeof(head), "\n{\"time\":%llu,\"action\":\"start\",\"pid\":%d,", MICROSECONDS(tsc_now()), pid);
    tell(journal, head);
}

void tsc_journal_ended(struct tsc_journal *journal, uint32_t code, uint32_t number, bool oom, uint64_t time)
{
    char head[192];

    if (journal->file[0] == '\0' || journal->told == time)
        return;
    journal->told = time;
    snprintf(head, sizeof(head),
             "\n{\"time\":%llu,\"action\":\"die\",\"exitCode\":%u,\"signal\":%u,\"oomKilled\":%d,\"finishedAt\":%llu,",
             MICROSECONDS(tsc_now()), code, number, oom ? 1 : 0, MICROSECONDS(time));
    tell(journal, head);
}
