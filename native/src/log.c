#include "log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#define GAP 3

struct record_head {
    uint32_t size;
    uint8_t stream;
    uint8_t zero[3];
    uint64_t time;
};
_Static_assert(sizeof(struct record_head) == 16 && offsetof(struct record_head, time) == 8, "as readers know it");

#define OVERHEAD (sizeof(struct record_head) + sizeof(uint32_t))
#define GAP_SIZE (OVERHEAD + sizeof(uint64_t))
/* Disks have room, or none, for this much at once. */
#define BLOCK 4096u

uint64_t tsc_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t tsc_log_position(const struct tsc_log *log)
{
    return log->fd < 0 ? 0 : log->files[log->file_count - 1] + log->size;
}

void tsc_log_take(struct tsc_log *log, struct tsc_reader *reader)
{
    struct tsc_bytes files;

    log->fd = -1;
    log->prefix = tsc_take_string(reader);
    log->max_bytes = tsc_take_u64(reader);
    log->max_files = tsc_take_u32(reader);
    files = tsc_take_bytes(reader);
    log->file_count = files.size / sizeof(uint64_t);
    if (files.size % sizeof(uint64_t) != 0 || log->file_count >= TSC_LOG_FILES_MAX ||
        (log->prefix[0] != '\0' && (log->max_files == 0 || log->max_files > TSC_LOG_KEEP_MAX))) {
        reader->bad = true;
        log->file_count = 0;
        return;
    }
    if (files.size > 0)
        memcpy(log->files, files.data, files.size);
}

static int file_name(const struct tsc_log *log, uint64_t position, char path[4096])
{
    return snprintf(path, 4096, "%s%016llx", log->prefix, (unsigned long long)position) < 4096 ? 0 : -ENAMETOOLONG;
}

/* Makes the file that begins at `position`. Whatever else has that name is not ours: a link is not followed. */
static int make_file(struct tsc_log *log, uint64_t position)
{
    char path[4096];
    int fd;

    if (file_name(log, position, path) < 0)
        return -ENAMETOOLONG;
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    tsc_close_p(&log->fd);
    log->fd = fd;
    log->size = 0;
    log->gap_end = 0;
    log->torn = false;
    log->files[log->file_count++] = position;
    return 0;
}

static bool ends_with_record(int fd, uint64_t file_size)
{
    uint32_t tail;
    uint32_t head;

    if (file_size == 0)
        return true;
    if (file_size < OVERHEAD || pread(fd, &tail, sizeof(tail), (off_t)(file_size - sizeof(tail))) != sizeof(tail))
        return false;
    if (tail > TSC_LOG_RECORD_MAX || tail + OVERHEAD > file_size)
        return false;
    return pread(fd, &head, sizeof(head), (off_t)(file_size - OVERHEAD - tail)) == sizeof(head) && head == tail;
}

static bool is_being_read(const char *path)
{
    TSC_AUTO_FD fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* How many files may be there for the sake of readers. */
static size_t patience(const struct tsc_log *log)
{
    uint64_t files = TSC_LOG_PATIENCE_BYTES / (log->max_bytes == 0 ? 1 : log->max_bytes);

    return files < 1 ? 1 : files > TSC_LOG_PATIENCE ? TSC_LOG_PATIENCE : (size_t)files;
}

/* Removes the oldest files until there are at most `keep`. One that cannot be removed is not counted any more. */
static void forget_files(struct tsc_log *log, size_t keep)
{
    while (log->file_count > keep) {
        char path[4096];
        bool named = file_name(log, log->files[0], path) == 0;

        if (named && log->file_count <= keep + patience(log) && is_being_read(path))
            return;
        if (named)
            unlink(path);
        log->file_count--;
        memmove(log->files, log->files + 1, log->file_count * sizeof(log->files[0]));
    }
}

int tsc_log_open(struct tsc_log *log, struct tsc_err *err)
{
    struct stat status;
    char path[4096];
    uint64_t position;
    int result;

    forget_files(log, log->max_files);
    if (log->file_count == 0) {
        result = make_file(log, 0);
        return result < 0 ? tsc_fail(err, -result, "open", "log %s", log->prefix) : 0;
    }
    position = log->files[log->file_count - 1];
    if (file_name(log, position, path) < 0)
        return tsc_fail(err, ENAMETOOLONG, "open", "log %s", log->prefix);
    /* Not blocking: for a FIFO, which is refused, open(2) would wait. */
    log->fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (log->fd < 0 || fstat(log->fd, &status) < 0)
        return tsc_fail(err, errno, "open", "log %s", path);
    if (!S_ISREG(status.st_mode))
        return tsc_fail(err, EINVAL, "open", "log %s is no file", path);
    log->size = (uint64_t)status.st_size;
    if (ends_with_record(log->fd, log->size))
        return 0;
    forget_files(log, log->max_files - 1);
    result = make_file(log, position + log->size);
    return result < 0 ? tsc_fail(err, -result, "open", "log %s", log->prefix) : 0;
}

/* Behind a record that would end at `end`, a gap would need the next block, which a full disk does not have. */
static bool hinders_gap(uint64_t end)
{
    uint64_t used = end % BLOCK;

    return used == 0 || used > BLOCK - GAP_SIZE;
}

static bool append(struct tsc_log *log, uint8_t stream, const void *data, size_t size)
{
    struct record_head head = { .size = (uint32_t)size, .stream = stream, .time = tsc_now() };
    struct record_head gap_head = { .size = sizeof(uint64_t), .stream = GAP, .time = head.time };
    uint64_t missing = 0;
    uint32_t tail = (uint32_t)size;
    struct iovec parts[] = {
        { .iov_base = &head, .iov_len = sizeof(head) },
        { .iov_base = (void *)(uintptr_t)data, .iov_len = size },
        { .iov_base = &tail, .iov_len = sizeof(tail) },
        { .iov_base = &gap_head, .iov_len = sizeof(gap_head) },
        { .iov_base = &missing, .iov_len = sizeof(missing) },
        { .iov_base = &gap_head.size, .iov_len = sizeof(gap_head.size) },
    };
    bool with_gap = stream != GAP && hinders_gap(log->size + size + OVERHEAD);
    size_t all = size + OVERHEAD + (with_gap ? GAP_SIZE : 0);
    ssize_t written = pwritev(log->fd, parts, with_gap ? 6 : 3, (off_t)log->size);

    if (written == (ssize_t)all) {
        log->size += all;
        log->gap_end = with_gap || stream == GAP ? log->size : 0;
        if (with_gap)
            log->gap = 0;
        return true;
    }
    if (written > 0 && ftruncate(log->fd, (off_t)log->size) < 0) {
        log->size += (uint64_t)written;
        log->torn = true;
    }
    return false;
}

/* True when there is room for a record in the newest file, or in one that was made for it. */
static bool has_room(struct tsc_log *log, size_t size)
{
    uint64_t next = tsc_log_position(log);
    uint64_t end = log->size + size + OVERHEAD;

    if (hinders_gap(end))
        end += GAP_SIZE;
    if (!log->torn && (log->size == 0 || end <= log->max_bytes))
        return true;
    /* Before the new one is made: on a full disk, the oldest output makes room for the newest. */
    forget_files(log, log->max_files > 1 ? log->max_files - 1 : 1);
    if (make_file(log, next) < 0)
        return false;
    forget_files(log, log->max_files);
    return true;
}

/* A gap at the end grows where it is: that takes no room. */
static bool grow_gap(struct tsc_log *log)
{
    uint64_t missing = log->gap + log->lost;
    off_t at = (off_t)(log->gap_end - sizeof(uint32_t) - sizeof(missing));

    if (log->gap_end == 0 || log->gap_end != log->size || log->torn)
        return false;
    if (pwrite(log->fd, &missing, sizeof(missing), at) != sizeof(missing))
        return false;
    log->gap = missing;
    return true;
}

void tsc_log_tell_lost(struct tsc_log *log)
{
    if (log->fd < 0 || log->lost == 0)
        return;
    if (!grow_gap(log)) {
        if (!has_room(log, sizeof(log->lost)) || !append(log, GAP, &log->lost, sizeof(log->lost)))
            return;
        log->gap = log->lost;
    }
    log->lost = 0;
}

void tsc_log_write(struct tsc_log *log, int stream, const void *data, size_t size)
{
    if (log->fd < 0)
        return;
    tsc_log_tell_lost(log);
    if (!has_room(log, size) || !append(log, (uint8_t)stream, data, size))
        log->lost += size;
}
