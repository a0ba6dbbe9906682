/* User and time namespaces, and namespaces that are joined by their path. */
#include "launch.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static int write_map(pid_t pid, const char *file, const char *map, struct tsc_err *err)
{
    char path[64];
    TSC_AUTO_FD fd = -1;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    if (write(fd, map, strlen(map)) < 0)
        return tsc_fail(err, errno, "write", "'%s' to %s", map, path);
    return 0;
}

/* A user namespace that only carries maps, for idmapped mounts: made by a process that does nothing else. */
int tsc_op_map_users(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t slot = tsc_take_u32(payload);
    const char *users = tsc_take_string(payload);
    const char *groups = tsc_take_string(payload);
    char path[64];
    pid_t pid;
    int result;

    if (slot >= TSC_MAX_TARGETS)
        return tsc_fail(err, EINVAL, "map-users", "slot %u", slot);
    pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid < 0)
        return tsc_fail(err, errno, "clone", "user namespace");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        for (;;)
            pause();
    }
    result = write_map(pid, "uid_map", users, err);
    if (result == 0)
        result = write_map(pid, "gid_map", groups, err);
    if (result == 0) {
        snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
        launch->targets[slot] = open(path, O_RDONLY | O_CLOEXEC);
        if (launch->targets[slot] < 0)
            result = tsc_fail(err, errno, "open", "%s", path);
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return result;
}

int tsc_op_open_namespace(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t slot = tsc_take_u32(payload);
    const char *path = tsc_take_string(payload);
    uint32_t kind = tsc_take_u32(payload);
    TSC_AUTO_FD fd = -1;
    int found;

    if (slot >= TSC_MAX_TARGETS)
        return tsc_fail(err, EINVAL, "open-namespace", "slot %u", slot);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    found = ioctl(fd, NS_GET_NSTYPE);
    if (found < 0)
        return tsc_fail(err, EINVAL, "open-namespace", "%s is no namespace", path);
    if ((uint32_t)found != kind)
        return tsc_fail(err, EINVAL, "open-namespace", "%s is a namespace of another kind (0x%x)", path, (unsigned)found);
    launch->targets[slot] = tsc_steal_fd(&fd);
    return 0;
}

/*
 * A PID namespace that shall belong to a user namespace which was joined is for the next child only: the child goes on as
 * another process, with the same parent, and the first one ends.
 */
int tsc_op_fork_again(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    char report[1 + sizeof(int)] = { 'P' };
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);

    (void)payload;
    if (pid < 0)
        return tsc_fail(err, errno, "clone", "the child in its PID namespace");
    if (pid == 0)
        return 0;
    memcpy(report + 1, &pid, sizeof(int));
    _exit(send(launch->report_fd, report, sizeof(report), MSG_NOSIGNAL) < 0 ? 126 : 0);
}

int tsc_op_await_fork(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    pid_t first = launch->child;
    int pid = 0;

    (void)payload;
    switch (tsc_take_report(launch->report_end, &pid, &launch->child_failure)) {
    case 'P':
        break;
    case 'F':
        return tsc_fail(err, ECANCELED, "await-fork", "the child has failed");
    default:
        return tsc_fail(err, ECHILD, "await-fork", "the child died");
    }
    launch->child = pid;
    tsc_close_p(&launch->child_pidfd);
    launch->child_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    while (waitpid(first, NULL, 0) < 0 && errno == EINTR)
        continue; /* handed over, it is not ours to wait for: ECHILD ends the loop */
    return launch->child_pidfd < 0 ? tsc_fail(err, errno, "pidfd_open", "%d", pid) : 0;
}

/*
 * A time namespace takes offsets only while nobody is in it, so the shim makes it for its children and goes back once
 * there is one: tsc_leave_time.
 */
int tsc_op_time_namespace(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *offsets = tsc_take_string(payload);
    TSC_AUTO_FD file = -1;

    launch->host_time_fd = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);
    if (launch->host_time_fd < 0)
        return tsc_fail(err, errno, "open", "/proc/self/ns/time");
    if (unshare(CLONE_NEWTIME) < 0)
        return tsc_fail(err, errno, "unshare", "time namespace");
    if (offsets[0] == '\0')
        return 0;
    file = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return tsc_fail(err, errno, "open", "/proc/self/timens_offsets");
    if (write(file, offsets, strlen(offsets)) < 0)
        return tsc_fail(err, errno, "write", "'%s' to /proc/self/timens_offsets", offsets);
    return 0;
}

int tsc_leave_time(struct tsc_launch *launch, struct tsc_err *err)
{
    TSC_AUTO_FD fd = tsc_steal_fd(&launch->host_time_fd);

    if (fd >= 0 && setns(fd, CLONE_NEWTIME) < 0)
        return tsc_fail(err, errno, "setns", "back to the host's time namespace");
    return 0;
}
