/*
 * Has a program make the container's processes again. It is executed as a child of the shim's, and makes the container's first
 * process as one, too: a process may have asked to be killed when its parent ends, and the shim is the parent that it means.
 *
 *   shim                              child                         the program
 *   …the child's report               clone3 with CLONE_PARENT ───▶ makes the processes, writes the pid of the first, ends
 *   watches that process ◀─────────── its pid, done
 */
#include "delegate.h"
#include "mount-api.h"

#include <poll.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* The exit code of a process that nobody has waited for yet. @see proc(5), /proc/PID/stat */
static int exit_status(pid_t pid)
{
    char path[32];
    char text[1024] = "";
    char *field;
    int status = 0;
    TSC_AUTO_FD fd = -1;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        return -1;
    field = strrchr(text, ' '); /* the last one */
    return field != NULL && sscanf(field, "%d", &status) == 1 ? status : -1;
}

/* The shim reaps nothing before it has our report: until then the process stays what it is. */
static int run_beside(char *const *arguments, char *const *environment, const char *log, struct tsc_err *err)
{
    int pidfd = -1;
    struct clone_args args = { .flags = CLONE_PARENT | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd };
    struct pollfd ended = { .events = POLLIN };
    char reason[256];
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    int status;

    if (pid < 0)
        return tsc_fail(err, errno, "clone3", "%s", arguments[0]);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        tsc_delegate_execute(arguments, environment);
    }
    ended.fd = pidfd;
    while (poll(&ended, 1, -1) < 0)
        if (errno != EINTR)
            return tsc_fail(err, errno, "poll", "%s", arguments[0]);
    close(pidfd);
    status = exit_status(pid);
    if (status == 0)
        return 0;
    tsc_delegate_reason(log, reason);
    return tsc_fail(err, ECHILD, "program", "%s: %s", arguments[0], reason);
}

/* What the program mounts from there is read-only from the first moment on: a mount of a mount has its attributes. */
static int protect(const char *path, struct tsc_err *err)
{
    TSC_AUTO_FD mount = tsc_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE);
    TSC_AUTO_FD place = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    uint64_t attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

    if (mount < 0 || place < 0 || tsc_mount_setattr(mount, "", AT_EMPTY_PATH, attributes, 0, 0) < 0 ||
        tsc_move_mount(mount, place) < 0)
        return tsc_fail(err, errno, "mount", "%s", path);
    return 0;
}

int tsc_op_revive(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    size_t count = 0;
    TSC_AUTO_FREE char **arguments = tsc_take_list(payload, 0, &count);
    TSC_AUTO_FREE char **environment = tsc_take_list(payload, 0, &count);
    TSC_AUTO_FREE char **protected = tsc_take_list(payload, 0, &count);
    const char *pid_file = tsc_take_string(payload);
    const char *log = tsc_take_string(payload);
    int pid;

    if (arguments == NULL || environment == NULL || protected == NULL || arguments[0] == NULL)
        return tsc_fail(err, arguments != NULL && arguments[0] == NULL ? EINVAL : ENOMEM, "revive", "%s", pid_file);
    for (char **path = protected; *path != NULL; path++)
        if (protect(*path, err) < 0)
            return -err->errnum;
    if (run_beside(arguments, environment, log, err) < 0)
        return -err->errnum;
    pid = tsc_delegate_pid(pid_file, err);
    if (pid < 0 || tsc_delegate_tell(launch, pid, err) < 0)
        return -err->errnum;
    _exit(send(launch->report_fd, "E", 1, MSG_NOSIGNAL) < 0 ? 126 : 0);
}
