/*
 * The container's network namespace, when the shim makes it itself: then everything of the network is set up before there
 * is a child, and nobody has to wait for anybody.
 */
#include "launch.h"

#include <fcntl.h>
#include <sched.h>

static int open_own_network(struct tsc_err *err)
{
    int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    return fd < 0 ? tsc_fail(err, errno, "open", "/proc/self/ns/net") : fd;
}

/* From here on messages to the host's side can name it by descriptor TSC_NETNS_FD; the shim itself stays outside. */
int tsc_op_new_network(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    TSC_AUTO_FD made = -1;

    (void)payload;
    launch->host_network_fd = open_own_network(err);
    if (launch->host_network_fd < 0)
        return launch->host_network_fd;
    if (unshare(CLONE_NEWNET) < 0)
        return tsc_fail(err, errno, "unshare", "network namespace");
    made = open_own_network(err);
    if (made < 0)
        return made;
    if (dup3(made, TSC_NETNS_FD, O_CLOEXEC) < 0)
        return tsc_fail(err, errno, "dup3", "network namespace");
    if (setns(launch->host_network_fd, CLONE_NEWNET) < 0)
        return tsc_fail(err, errno, "setns", "back to the host's network");
    return 0;
}

/* The shim goes inside, and the child will be born there. */
int tsc_op_enter_network(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)payload;
    if (launch->host_network_fd < 0)
        return tsc_fail(err, EINVAL, "setns", "no network namespace was made");
    if (setns(TSC_NETNS_FD, CLONE_NEWNET) < 0)
        return tsc_fail(err, errno, "setns", "the container's network");
    return 0;
}

int tsc_leave_network(struct tsc_launch *launch, struct tsc_err *err)
{
    TSC_AUTO_FD fd = tsc_steal_fd(&launch->host_network_fd);

    if (fd < 0)
        return 0;
    if (setns(fd, CLONE_NEWNET) < 0)
        return tsc_fail(err, errno, "setns", "back to the host's network");
    close(TSC_NETNS_FD); /* or the namespace, and the host's end of its interfaces, would live as long as we do */
    return 0;
}
