/* Namespaces: new ones, those of other processes, and the meeting point of child and shim. */
#include "launch.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

uint64_t tsc_start_ticks(pid_t pid)
{
    char path[32];
    char text[1024];
    ssize_t size;
    char *at;
    TSC_AUTO_FD fd = -1;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    size = read(fd, text, sizeof(text) - 1);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    at = strrchr(text, ')'); /* the name of a program may hold anything, parentheses too */
    for (int field = 2; at != NULL && field < 22; field++) {
        at = strchr(at, ' ');
        if (at != NULL)
            at++;
    }
    return at == NULL ? 0 : strtoull(at, NULL, 10);
}

int tsc_open_process(pid_t pid, uint64_t start_ticks, struct tsc_err *err)
{
    TSC_AUTO_FD fd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (fd < 0)
        return tsc_fail(err, errno, "pidfd_open", "%d", (int)pid);
    if (tsc_start_ticks(pid) != start_ticks) /* read after the open: the pidfd now means this very process */
        return tsc_fail(err, ESRCH, "pidfd_open", "%d is another process by now", (int)pid);
    return tsc_steal_fd(&fd);
}

int tsc_op_open_process(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t slot = tsc_take_u32(payload);
    pid_t pid = (pid_t)tsc_take_u32(payload);
    int fd;

    if (slot >= TSC_MAX_TARGETS)
        return tsc_fail(err, EINVAL, "open-process", "slot %u", slot);
    fd = tsc_open_process(pid, tsc_take_u64(payload), err);
    if (fd < 0)
        return fd;
    launch->targets[slot] = fd;
    return 0;
}

int tsc_op_join_namespace(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t slot = tsc_take_u32(payload);
    uint32_t kinds = tsc_take_u32(payload);

    if (slot >= TSC_MAX_TARGETS || launch->targets[slot] < 0)
        return tsc_fail(err, EINVAL, "setns", "no process in slot %u", slot);
    if (setns(launch->targets[slot], (int)kinds) < 0)
        return tsc_fail(err, errno, "setns", "namespaces 0x%x of the target", kinds);
    return 0;
}

int tsc_op_unshare(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t kinds = tsc_take_u32(payload);

    (void)launch;
    if (unshare((int)kinds) < 0)
        return tsc_fail(err, errno, "unshare", "namespaces 0x%x", kinds);
    return 0;
}

int tsc_op_sync(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t pid = 0;
    int result = tsc_read_all(launch->sync_fd, &pid, sizeof(pid));

    (void)payload;
    if (result < 0) /* the shim has failed or died, and says or said why itself */
        return tsc_fail(err, ECANCELED, "sync", "stage parent did not complete");
    launch->own_pid = (pid_t)pid;
    return 0;
}

int tsc_op_hostname(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *name = tsc_take_string(payload);

    (void)launch;
    if (sethostname(name, strlen(name)) < 0)
        return tsc_fail(err, errno, "sethostname", "%s", name);
    return 0;
}

int tsc_op_domainname(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *name = tsc_take_string(payload);

    (void)launch;
    if (setdomainname(name, strlen(name)) < 0)
        return tsc_fail(err, errno, "setdomainname", "%s", name);
    return 0;
}
