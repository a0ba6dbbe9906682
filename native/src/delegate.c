/*
 * Hands the container over to another OCI runtime. The child executes its command line and is never the container itself:
 *
 *   shim                              child                                  the runtime
 *   …the child's report               config.json, with the user's numbers
 *                                     create ──────────────────────────────▶ makes the container, writes its pid, ends
 *   watches that process ◀─────────── its pid
 *                                     start ───────────────────────────────▶ the container's program runs
 *   the program runs ◀─────────────── done
 *
 * The container's first process is an orphan once `create` has ended, and so a child of the shim, which is a subreaper.
 */
#include "account.h"
#include "delegate.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#define LOG_MAX 65536
#define CONSOLE_MS 10000
#define MESSAGE "\"msg\":\"" /* in a line of a log in JSON */

/* `before`, the user as in the runtime-spec's POSIX platform user structure, `after`. */
static int write_config(const char *path, const char *before, const struct tsc_account *account, const char *after,
                        struct tsc_err *err)
{
    char user[64 + 12 * TSC_MAX_GROUPS];
    TSC_AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    int size = snprintf(user, sizeof(user), "{\"uid\":%u,\"gid\":%u,\"additionalGids\":[", account->uid, account->gid);

    for (size_t i = 0; i < account->group_count; i++)
        size += snprintf(user + size, sizeof(user) - (size_t)size, "%s%u", i == 0 ? "" : ",", account->groups[i]);
    size += snprintf(user + size, sizeof(user) - (size_t)size, "]}");
    if (fd < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    if (tsc_write_all(fd, before, strlen(before)) < 0 || tsc_write_all(fd, user, (size_t)size) < 0 ||
        tsc_write_all(fd, after, strlen(after)) < 0)
        return tsc_fail(err, EIO, "write", "%s", path);
    return 0;
}

void tsc_delegate_reason(const char *log, char reason[256])
{
    TSC_AUTO_FREE char *text = malloc(LOG_MAX);
    TSC_AUTO_FD fd = open(log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t size = fd < 0 || text == NULL ? -1 : read(fd, text, LOG_MAX - 1);
    char *line;
    char *message;

    reason[0] = '\0';
    if (size <= 0)
        return;
    text[size] = '\0';
    if (text[size - 1] == '\n')
        text[size - 1] = '\0';
    line = strrchr(text, '\n');
    line = line == NULL ? text : line + 1;
    message = strstr(line, MESSAGE);
    if (message != NULL) {
        char *end = line = message + strlen(MESSAGE);

        while (*end != '\0' && *end != '"')
            end += *end == '\\' && end[1] != '\0' ? 2 : 1;
        *end = '\0';
    }
    snprintf(reason, 256, "%.255s", line);
}

void tsc_delegate_execute(char *const *arguments, char *const *environment)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    syscall(SYS_close_range, 3u, ~0u, 0);
    execve(arguments[0], arguments, environment);
    _exit(errno == ENOENT ? 127 : 126);
}

static int run(char *const *arguments, char *const *environment, const char *log, struct tsc_err *err)
{
    char reason[256];
    int status = 0;
    pid_t pid = fork();

    if (pid < 0)
        return tsc_fail(err, errno, "fork", "%s", arguments[0]);
    if (pid == 0)
        tsc_delegate_execute(arguments, environment);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return tsc_fail(err, errno, "waitpid", "%s", arguments[0]);
    if (WIFSIGNALED(status))
        return tsc_fail(err, ECHILD, "runtime", "%s was killed by signal %d", arguments[0], WTERMSIG(status));
    if (WEXITSTATUS(status) == 0)
        return 0;
    tsc_delegate_reason(log, reason);
    if (reason[0] == '\0')
        return tsc_fail(err, ECHILD, "runtime", "%s exited with %d", arguments[0], WEXITSTATUS(status));
    return tsc_fail(err, ECHILD, "runtime", "%s", reason);
}

int tsc_delegate_pid(const char *path, struct tsc_err *err)
{
    char text[16] = "";
    TSC_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int pid = 0;

    if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    if (sscanf(text, "%d", &pid) != 1 || pid <= 1)
        return tsc_fail(err, EPROTO, "pid file", "%s", path);
    return pid;
}

/*
 * An address of 108 bytes is short for a path: the socket is named by a descriptor of its directory, to the runtime by ours.
 */
static int open_console(const char *path, char **arguments, char name[64], int *directory, struct tsc_err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *slash = strrchr(path, '/');
    char parent[4096];
    TSC_AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (slash == NULL || snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path) >= (int)sizeof(parent))
        return tsc_fail(err, ENAMETOOLONG, "bind", "%s", path);
    *directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*directory < 0)
        return tsc_fail(err, errno, "open", "%s", parent);
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%.31s", *directory, slash + 1);
    snprintf(name, 64, "/proc/%d/fd/%d/%.31s", (int)getpid(), *directory, slash + 1);
    for (; *arguments != NULL; arguments++)
        if (strcmp(*arguments, path) == 0)
            *arguments = name;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
        return tsc_fail(err, errno, "bind", "%s", path);
    return tsc_steal_fd(&fd);
}

/* The runtime has sent the terminal before it ended. @see runc, docs/terminals.md */
static int pass_terminal(struct tsc_launch *launch, int listener, struct tsc_err *err)
{
    struct pollfd waiting = { .fd = listener, .events = POLLIN };
    char name[4096];
    int fds[TSC_MAX_DESCRIPTORS];
    size_t count = 0;
    TSC_AUTO_FD connection = poll(&waiting, 1, CONSOLE_MS) == 1 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
    int sent;

    if (connection < 0 || tsc_receive(connection, name, sizeof(name), fds, &count) < 0 || count == 0)
        return tsc_fail(err, EPROTO, "console socket", "the runtime has sent no terminal");
    sent = tsc_send_with_descriptor(launch->report_fd, "T", 1, fds[0]);
    while (count > 0)
        close(fds[--count]);
    return sent < 0 ? tsc_fail(err, -sent, "sendmsg", "the terminal") : 0;
}

int tsc_delegate_tell(struct tsc_launch *launch, int pid, struct tsc_err *err)
{
    char report[1 + sizeof(int)] = { 'P' };

    memcpy(report + 1, &pid, sizeof(int));
    return send(launch->report_fd, report, sizeof(report), MSG_NOSIGNAL) < 0 ? tsc_fail(err, errno, "send", "pid") : 0;
}

int tsc_op_delegate(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *user = tsc_take_string(payload);
    size_t count = 0;
    TSC_AUTO_FREE char **groups = tsc_take_list(payload, 0, &count);
    const char *config = tsc_take_string(payload);
    const char *before = tsc_take_string(payload);
    const char *after = tsc_take_string(payload);
    TSC_AUTO_FREE char **create = tsc_take_list(payload, 0, &count);
    TSC_AUTO_FREE char **start = tsc_take_list(payload, 0, &count);
    TSC_AUTO_FREE char **environment = tsc_take_list(payload, 0, &count);
    const char *pid_file = tsc_take_string(payload);
    const char *log = tsc_take_string(payload);
    const char *socket_path = tsc_take_string(payload);
    struct tsc_account account = { 0 };
    TSC_AUTO_FD directory = -1;
    TSC_AUTO_FD console = -1;
    char console_name[64];
    int pid;

    if (groups == NULL || create == NULL || start == NULL || environment == NULL || create[0] == NULL)
        return tsc_fail(err, create != NULL && create[0] == NULL ? EINVAL : ENOMEM, "delegate", "%s", config);
    if (tsc_find_account(launch, user, groups, &account, err) < 0 ||
        write_config(config, before, &account, after, err) < 0)
        return -err->errnum;
    if (socket_path[0] != '\0') {
        console = open_console(socket_path, create, console_name, &directory, err);
        if (console < 0)
            return console;
    }
    if (run(create, environment, log, err) < 0)
        return -err->errnum;
    pid = tsc_delegate_pid(pid_file, err);
    if (pid < 0 || (console >= 0 && pass_terminal(launch, console, err) < 0) || tsc_delegate_tell(launch, pid, err) < 0)
        return -err->errnum;
    if (start[0] != NULL && run(start, environment, log, err) < 0)
        return -err->errnum;
    _exit(send(launch->report_fd, "E", 1, MSG_NOSIGNAL) < 0 ? 126 : 0);
}
