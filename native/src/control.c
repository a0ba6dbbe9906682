#include "control.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

int tsc_frame_head(int fd, uint32_t *size, uint32_t *type)
{
    uint32_t head[2];
    int result = tsc_read_all(fd, head, sizeof(head));

    if (result < 0)
        return result;
    *size = head[0];
    *type = head[1];
    return *size > TSC_FRAME_MAX ? -EMSGSIZE : 0;
}

static void put(struct tsc_writer *writer, const void *data, size_t size)
{
    if (size > sizeof(writer->data) - writer->size)
        return; /* cannot be: the strings of a failure are shorter than the buffer */
    memcpy(writer->data + writer->size, data, size);
    writer->size += size;
}

void tsc_put_u32(struct tsc_writer *writer, uint32_t value)
{
    put(writer, &value, sizeof(value));
}

void tsc_put_u64(struct tsc_writer *writer, uint64_t value)
{
    put(writer, &value, sizeof(value));
}

void tsc_put_string(struct tsc_writer *writer, const char *text)
{
    tsc_put_u32(writer, (uint32_t)strlen(text));
    put(writer, text, strlen(text) + 1);
}

void tsc_put_failure(struct tsc_writer *writer, const struct tsc_failure *failure)
{
    tsc_put_u32(writer, failure->section);
    tsc_put_u32(writer, failure->index);
    tsc_put_u32(writer, (uint32_t)failure->err.errnum);
    tsc_put_string(writer, failure->err.op);
    tsc_put_string(writer, failure->err.detail);
}

int tsc_send_frame(int fd, enum tsc_frame type, const struct tsc_writer *writer)
{
    uint8_t frame[sizeof(writer->data) + 8];
    uint32_t head[2] = { (uint32_t)writer->size, (uint32_t)type };
    size_t sent = 0;

    memcpy(frame, head, sizeof(head));
    memcpy(frame + sizeof(head), writer->data, writer->size);
    while (sent < writer->size + sizeof(head)) {
        ssize_t count = send(fd, frame + sent, writer->size + sizeof(head) - sent, MSG_NOSIGNAL);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        sent += (size_t)count;
    }
    return 0;
}

void tsc_linger(int fd)
{
    struct pollfd poll_end = { .fd = fd, .events = POLLIN };
    char ignored[4096];

    shutdown(fd, SHUT_WR);
    while (poll(&poll_end, 1, 1000) > 0 && read(fd, ignored, sizeof(ignored)) > 0)
        continue;
}
