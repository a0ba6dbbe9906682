/* Carries netlink messages that TypeScript has encoded. Knows message boundaries and acknowledgements, nothing else. */
#include "launch.h"

#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ANSWER_SIZE 8192

/* Counts the messages that ask for an acknowledgement; -EINVAL when the bytes are no row of whole messages. */
static int count_acknowledged(struct tsc_bytes messages)
{
    uint32_t offset = 0;
    int count = 0;

    while (offset < messages.size) {
        struct nlmsghdr header;

        if (messages.size - offset < sizeof(header))
            return -EINVAL;
        memcpy(&header, messages.data + offset, sizeof(header));
        if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > messages.size - offset)
            return -EINVAL;
        if ((header.nlmsg_flags & NLM_F_ACK) != 0)
            count++;
        offset += NLMSG_ALIGN(header.nlmsg_len);
    }
    return count;
}

static bool tolerated(struct tsc_bytes tolerate, int errnum)
{
    for (uint32_t offset = 0; offset + sizeof(int32_t) <= tolerate.size; offset += sizeof(int32_t)) {
        int32_t each;

        memcpy(&each, tolerate.data + offset, sizeof(each));
        if (each == errnum)
            return true;
    }
    return false;
}

/*
 * Reads acknowledgements. An nf_tables batch is rolled back at its first error, and its other messages then stay
 * without an answer: a failure ends the wait.
 */
static int await_acknowledgements(int fd, int protocol, int expected, struct tsc_bytes tolerate, struct tsc_err *err)
{
    char answer[ANSWER_SIZE] __attribute__((aligned(8)));
    int seen = 0;

    while (seen < expected) {
        ssize_t size = recv(fd, answer, sizeof(answer), 0);

        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return tsc_fail(err, errno, "netlink", "no acknowledgement of message %d", seen);
        for (struct nlmsghdr *header = (struct nlmsghdr *)(void *)answer; NLMSG_OK(header, (size_t)size);
             header = NLMSG_NEXT(header, size)) {
            struct nlmsgerr result;

            if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_len < NLMSG_LENGTH(sizeof(result.error)))
                continue;
            memcpy(&result.error, NLMSG_DATA(header), sizeof(result.error));
            if (result.error != 0 && !tolerated(tolerate, -result.error))
                return tsc_fail(err, -result.error, "netlink", "message %d", seen);
            if (result.error != 0 && protocol == NETLINK_NETFILTER)
                return 0;
            seen++;
        }
    }
    return 0;
}

int tsc_op_netlink(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    int protocol = tsc_take_u32(payload) == 0 ? NETLINK_ROUTE : NETLINK_NETFILTER;
    struct tsc_bytes messages = tsc_take_bytes(payload);
    struct tsc_bytes tolerate = tsc_take_bytes(payload);
    struct sockaddr_nl address = { .nl_family = AF_NETLINK };
    struct timeval patience = { .tv_sec = 10 }; /* a kernel that does not answer must not hang the container */
    int expected = count_acknowledged(messages);
    TSC_AUTO_FD own = -1;
    int fd;

    if (expected < 0)
        return tsc_fail(err, EINVAL, "netlink", "malformed messages");
    fd = own = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return tsc_fail(err, errno, "socket", "netlink");
    /* Closing a netfilter socket waits for a grace period of 8 to 16 ms; the end of the process does it later. */
    if (protocol == NETLINK_NETFILTER && launch->netfilter_count < TSC_MAX_NETFILTER) {
        launch->netfilter[launch->netfilter_count++] = fd;
        own = -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (sendto(fd, messages.data, messages.size, 0, (struct sockaddr *)&address, sizeof(address)) < 0)
        return tsc_fail(err, errno, "send", "netlink");
    return await_acknowledgements(fd, protocol, expected, tolerate, err);
}
