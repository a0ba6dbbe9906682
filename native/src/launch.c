/*
 * Starts the child of a launch plan. Where it shares our memory, we stand still until its program runs: the steps on the
 * left but `prepare` are then empty.
 *
 *   shim                                   child
 *   prepare                                -
 *   clone3 (new namespaces)                its operations, in order
 *   parent                                   … `sync` waits here …
 *   go ──────────────────────────────────▶   … the rest
 *   wait for the report ◀────────────────  a failure, or the mark 'E' and then the end of file that exec brings
 */
#include "clone.h"
#include "launch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* What the child begins with. */
struct birth {
    struct tsc_launch *launch;
    const struct tsc_plan *plan;
    const int *stdio;
    int report[2];
    int sync[2];
};

static struct clone_args clone_arguments(struct tsc_launch *launch, uint32_t namespaces)
{
    struct clone_args args = {
        .flags = (uint64_t)namespaces | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&launch->child_pidfd,
        .exit_signal = SIGCHLD,
    };

    if (launch->handed_over) {
        args.flags |= CLONE_PARENT;
        args.exit_signal = 0; /* it is that of our own, see clone(2) */
    }
    if (launch->cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)(unsigned)launch->cgroup_fd;
    }
    return args;
}

static int place_stdio(const int stdio[3], struct tsc_err *err)
{
    for (int fd = 0; fd < 3; fd++)
        if (stdio[fd] != fd && dup2(stdio[fd], fd) < 0)
            return tsc_fail(err, errno, "dup2", "stdio %d", fd);
    return 0;
}

static int enter_cgroups(struct tsc_launch *launch, struct tsc_err *err)
{
    for (size_t i = 0; i < launch->cgroup_count; i++)
        if (write(launch->cgroups[i], "0", 1) < 0)
            return tsc_fail(err, errno, "write", "0 to the tasks of cgroup %zu", i);
    return 0;
}

/*
 * Whatever holds a step up, and be it a process of the container that stops this one: the kernel ends it then. Timers do
 * not outlive exec. @see timer_create(2), execve(2)
 */
static int limit_time(struct tsc_launch *launch, struct tsc_err *err)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
    struct itimerspec limit = { .it_value = { .tv_sec = TSC_LAUNCH_SECONDS } };
    int *timer = &launch->limit_timer; /* the kernel's own type; timer_create(3) may start a thread */

    if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, timer) < 0 ||
        syscall(SYS_timer_settime, *timer, 0, &limit, NULL) < 0)
        return tsc_fail(err, errno, "timer", "limit of the launch");
    return 0;
}

__attribute__((noreturn)) static void child_main(struct tsc_launch *launch, const struct tsc_plan *plan,
                                                 const int stdio[3])
{
    struct tsc_failure failure = { .section = TSC_CHILD, .index = TSC_NO_OPERATION };

    if (limit_time(launch, &failure.err) == 0 && enter_cgroups(launch, &failure.err) == 0 &&
        place_stdio(stdio, &failure.err) == 0)
        tsc_plan_run(plan, TSC_CHILD, launch, false, &failure);
    if (failure.err.errnum == 0)
        tsc_fail(&failure.err, EINVAL, "plan", "it does not end with execute");
    /* One message, kept whole by SOCK_SEQPACKET. Nobody is left to be told if it fails. */
    if (send(launch->report_fd, &failure, sizeof(failure), MSG_NOSIGNAL) < 0)
        _exit(126);
    _exit(125);
}

/* The child with memory of its own. */
__attribute__((noreturn)) static void child_apart(const struct birth *birth)
{
    close(birth->report[0]);
    close(birth->sync[1]);
    birth->launch->report_fd = birth->report[1];
    birth->launch->sync_fd = birth->sync[0];
    child_main(birth->launch, birth->plan, birth->stdio);
}

/* The child that shares ours: what it notes for itself must not be taken for the shim's. */
static void child_sharing(void *argument)
{
    const struct birth *birth = argument;
    struct tsc_launch own = *birth->launch;

    close(birth->report[0]);
    own.report_fd = birth->report[1];
    own.sync_fd = -1;
    child_main(&own, birth->plan, birth->stdio);
}

static pid_t make_child(struct birth *birth)
{
    struct clone_args args = clone_arguments(birth->launch, birth->plan->namespaces);
    pid_t pid;

    if ((birth->plan->flags & TSC_PLAN_SHARES_MEMORY) != 0)
        return tsc_clone_sharing(&args, child_sharing, birth);
    pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    if (pid == 0)
        child_apart(birth);
    return pid;
}

static int open_child_netns(struct tsc_launch *launch, struct tsc_failure *failure)
{
    char path[32];
    TSC_AUTO_FD fd = -1;

    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)launch->child);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || dup3(fd, TSC_NETNS_FD, O_CLOEXEC) < 0)
        return tsc_fail(&failure->err, errno, "open", "%s", path);
    return 0;
}

static int run_parent(struct tsc_launch *launch, const struct tsc_plan *plan, struct tsc_failure *failure)
{
    int result = 0;

    failure->section = TSC_PARENT;
    if ((plan->namespaces & CLONE_NEWNET) != 0 && plan->counts[TSC_PARENT] > 0)
        result = open_child_netns(launch, failure);
    if (result == 0)
        result = tsc_plan_run(plan, TSC_PARENT, launch, false, failure);
    close(TSC_NETNS_FD);
    return result == 0 ? tsc_release_child(launch, &failure->err) : result;
}

int tsc_take_report(int report_fd, int *fd, struct tsc_failure *failure)
{
    struct tsc_failure buffer;
    int fds[TSC_MAX_DESCRIPTORS];
    size_t count;
    ssize_t size = tsc_receive(report_fd, &buffer, sizeof(buffer), fds, &count);

    if (size == sizeof(buffer)) {
        *failure = buffer;
        return 'F';
    }
    if (size == 1 + sizeof(int) && *(char *)&buffer == 'P') {
        memcpy(fd, (char *)&buffer + 1, sizeof(int));
        return 'P';
    }
    if (size != 1)
        return 0;
    if (count > 0)
        *fd = fds[0];
    return *(char *)&buffer;
}

/* From here on the child is a process that another runtime has made: an orphan, and so our child. */
static int adopt(struct tsc_launch *launch, pid_t pid, struct tsc_err *err)
{
    TSC_AUTO_FD pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    siginfo_t ignored;

    if (pidfd < 0 || waitid((idtype_t)P_PIDFD, (id_t)pidfd, &ignored, WEXITED | WNOHANG | WNOWAIT) < 0)
        return tsc_fail(err, errno, "waitid", "%d, which is no child of the supervisor", (int)pid);
    tsc_close_p(&launch->child_pidfd);
    launch->child = pid;
    launch->child_pidfd = tsc_steal_fd(&pidfd);
    return 0;
}

/* 0 when the program runs; the terminal, if one was made, is in *terminal. */
static int await_execution(struct tsc_launch *launch, int report_fd, int *terminal, struct tsc_failure *failure)
{
    bool executing = false;
    int number = -1;

    for (;;) {
        switch (tsc_take_report(report_fd, &number, failure)) {
        case 'E':
            executing = true;
            break;
        case 'T':
            *terminal = number;
            break;
        case 'P':
            if (adopt(launch, number, &failure->err) < 0)
                return -failure->err.errnum;
            break;
        case 'W':
            launch->waiting = true;
            return 0;
        case 'F':
            return failure->err.errnum > 0 ? -failure->err.errnum : -EIO;
        default:
            if (executing)
                return 0;
            failure->section = TSC_CHILD;
            return tsc_fail(&failure->err, ECHILD, "child", "%d died before it reached its program", (int)launch->child);
        }
    }
}

static void end_child(struct tsc_launch *launch)
{
    syscall(SYS_pidfd_send_signal, launch->child_pidfd, SIGKILL, NULL, 0);
    while (waitpid(launch->child, NULL, 0) < 0 && errno == EINTR)
        continue;
    launch->child = 0;
    tsc_close_p(&launch->child_pidfd);
}

static void release_cgroups(struct tsc_launch *launch)
{
    while (launch->cgroup_count > 0)
        close(launch->cgroups[--launch->cgroup_count]);
    tsc_close_p(&launch->cgroup_fd);
}

/* Copies of the child's mounts would keep them busy. */
static void release_mounts(struct tsc_launch *launch)
{
    for (size_t i = 0; i < TSC_MAX_MOUNTS; i++) {
        if (launch->mounts[i] > 0)
            close(launch->mounts[i]);
        launch->mounts[i] = 0;
    }
}

static void end_rendezvous(struct tsc_launch *launch)
{
    tsc_close_p(&launch->go_fd);
    tsc_close_p(&launch->report_end);
}

/* Why there is no program: what the child met before the shim failed, if it met anything else than the shim's end. */
static void prefer_childs_story(struct tsc_launch *launch, struct tsc_failure *failure)
{
    struct tsc_failure earlier;
    int ignored = -1;

    if (launch->child_failure.err.errnum != 0) {
        *failure = launch->child_failure;
        return;
    }
    tsc_close_p(&launch->go_fd); /* without "go" the child ends by itself */
    if (tsc_take_report(launch->report_end, &ignored, &earlier) == 'F' && earlier.err.errnum != ECANCELED)
        *failure = earlier;
    tsc_close_p(&ignored);
}

/* What the shim holds for the child only. */
static int release_childs_share(struct tsc_launch *launch, struct tsc_err *err)
{
    release_cgroups(launch);
    release_mounts(launch);
    for (size_t i = 0; launch->kept != NULL && i < launch->kept->count; i++)
        close(4 + (int)i);
    if (tsc_leave_time(launch, err) < 0)
        return -err->errnum;
    return tsc_leave_network(launch, err);
}

static int prepare(struct tsc_launch *launch, const struct tsc_plan *plan, struct birth *birth,
                   struct tsc_failure *failure)
{
    bool sharing = (plan->flags & TSC_PLAN_SHARES_MEMORY) != 0;

    failure->section = TSC_PREPARE;
    if (tsc_plan_run(plan, TSC_PREPARE, launch, false, failure) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, birth->report) < 0 ||
        (!sharing && pipe2(birth->sync, O_CLOEXEC) < 0))
        return tsc_fail(&failure->err, errno, "pipe", "to the child");
    return 0;
}

int tsc_launch_child(struct tsc_launch *launch, const struct tsc_plan *plan, const int stdio[3], int *terminal,
                     struct tsc_failure *failure)
{
    struct birth birth = { .launch = launch, .plan = plan, .stdio = stdio, .report = { -1, -1 }, .sync = { -1, -1 } };
    struct tsc_err ignored = { 0 };
    int result;

    if (prepare(launch, plan, &birth, failure) < 0) {
        (void)tsc_leave_network(launch, &ignored); /* stage `cleanup` is for the host's */
        return -1;
    }
    launch->child = make_child(&birth);
    launch->stdio = stdio;
    if (launch->child < 0) {
        launch->child = 0;
        tsc_fail(&failure->err, errno, "clone3", "namespaces 0x%x", plan->namespaces);
        (void)tsc_leave_network(launch, &ignored);
        return -1;
    }
    close(birth.report[1]);
    tsc_close_p(&birth.sync[0]);
    launch->go_fd = birth.sync[1];
    launch->report_end = birth.report[0];

    result = release_childs_share(launch, &failure->err);
    if (result == 0 && (plan->flags & TSC_PLAN_SHARES_MEMORY) == 0)
        result = run_parent(launch, plan, failure);
    *terminal = launch->terminal_fd;
    if (result == 0)
        result = await_execution(launch, launch->report_end, terminal, failure);
    else
        prefer_childs_story(launch, failure);
    if (result < 0 || !launch->waiting)
        end_rendezvous(launch);
    if (result < 0)
        end_child(launch);
    return result;
}

int tsc_continue_child(struct tsc_launch *launch, struct tsc_failure *failure)
{
    int terminal = -1;
    int result = tsc_release_child(launch, &failure->err);

    launch->waiting = false;
    if (result == 0)
        result = await_execution(launch, launch->report_end, &terminal, failure);
    tsc_close_p(&terminal);
    end_rendezvous(launch);
    return result;
}
