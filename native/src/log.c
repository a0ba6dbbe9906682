#include "log.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <time.h>

struct record_head {
    uint32_t size;
    uint8_t stream;
    uint8_t zero[3];
    uint64_t time;
};
_Static_assert(sizeof(struct record_head) == 16 && offsetof(struct record_head, time) == 8, "as readers know it");

uint64_t tsc_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int tsc_log_open(const char *path, struct tsc_err *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    return fd < 0 ? tsc_fail(err, errno, "open", "log %s", path) : fd;
}

void tsc_log_write(int fd, int stream, const void *data, size_t size)
{
    struct record_head head = { .size = (uint32_t)size, .stream = (uint8_t)stream, .time = tsc_now() };
    uint32_t tail = (uint32_t)size;
    struct iovec parts[] = {
        { .iov_base = &head, .iov_len = sizeof(head) },
        { .iov_base = (void *)(uintptr_t)data, .iov_len = size },
        { .iov_base = &tail, .iov_len = sizeof(tail) },
    };
    off_t before = lseek(fd, 0, SEEK_END);
    ssize_t written = writev(fd, parts, 3);

    if (written != (ssize_t)(sizeof(head) + size + sizeof(tail)) && written > 0 && before >= 0)
        (void)!ftruncate(fd, before); /* no half record: readers rely on the sizes */
}
