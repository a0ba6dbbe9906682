/* Runs a hook of the OCI runtime-spec: a program that gets the container's state on stdin, and a bounded time. */
#include "launch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define NOT_STARTED 127

/* A file rather than a pipe: a hook that reads nothing cannot block us, one that reads late loses nothing. */
static int open_state(struct tsc_launch *launch, const char *before, const char *after, struct tsc_err *err)
{
    TSC_AUTO_FD fd = (int)syscall(SYS_memfd_create, "state", MFD_CLOEXEC);
    char pid[16];

    snprintf(pid, sizeof(pid), "%d", (int)(launch->child > 0 ? launch->child : launch->own_pid));
    if (fd < 0)
        return tsc_fail(err, errno, "memfd_create", "state");
    if (tsc_write_all(fd, before, strlen(before)) < 0 || tsc_write_all(fd, pid, strlen(pid)) < 0 ||
        tsc_write_all(fd, after, strlen(after)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return tsc_fail(err, EIO, "write", "state");
    return tsc_steal_fd(&fd);
}

__attribute__((noreturn)) static void run(const char *path, char *const *arguments, char *const *environment,
                                          const char *directory, int state)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(state, STDIN_FILENO) < 0 || syscall(SYS_close_range, 3u, ~0u, 0) < 0)
        _exit(NOT_STARTED);
    if (directory[0] != '\0' && chdir(directory) < 0)
        _exit(NOT_STARTED);
    execve(path, arguments, environment);
    _exit(NOT_STARTED);
}

static int await_hook(pid_t pid, const char *path, uint32_t timeout_seconds, struct tsc_err *err)
{
    TSC_AUTO_FD pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd poll_end = { .fd = pidfd, .events = POLLIN };
    int timeout = timeout_seconds == 0 || timeout_seconds > 1000000 ? -1 : (int)timeout_seconds * 1000;
    bool late = false;
    int status = 0;
    int count;

    if (pidfd < 0) {
        int failure = errno;

        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return tsc_fail(err, failure, "pidfd_open", "hook %s", path);
    }
    do
        count = poll(&poll_end, 1, timeout);
    while (count < 0 && errno == EINTR);
    if (count == 0) {
        late = true;
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return tsc_fail(err, errno, "waitpid", "hook %s", path);
    if (late)
        return tsc_fail(err, ETIMEDOUT, "hook", "%s did not end within %u s", path, timeout_seconds);
    if (WIFSIGNALED(status))
        return tsc_fail(err, ECHILD, "hook", "%s was killed by signal %d", path, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return tsc_fail(err, ECHILD, "hook", "%s exited with %d", path, WEXITSTATUS(status));
    return 0;
}

int tsc_op_run_hook(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    size_t argument_count = 0;
    TSC_AUTO_FREE char **arguments = tsc_take_list(payload, 0, &argument_count);
    size_t environment_count = 0;
    TSC_AUTO_FREE char **environment = tsc_take_list(payload, 0, &environment_count);
    uint32_t timeout_seconds = tsc_take_u32(payload);
    const char *directory = tsc_take_string(payload);
    const char *before = tsc_take_string(payload);
    const char *after = tsc_take_string(payload);
    TSC_AUTO_FD state = open_state(launch, before, after, err);
    pid_t pid;

    if (state < 0)
        return state;
    if (arguments == NULL || environment == NULL)
        return tsc_fail(err, ENOMEM, "hook", "%s", path);
    pid = fork();
    if (pid < 0)
        return tsc_fail(err, errno, "fork", "hook %s", path);
    if (pid == 0)
        run(path, arguments, environment, directory, state);
    return await_hook(pid, path, timeout_seconds, err);
}
