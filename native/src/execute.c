/* The last operation: the program itself. */
#include "launch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static const char *value_of(char *const *environment, const char *key)
{
    size_t size = strlen(key);

    for (; *environment != NULL; environment++)
        if (strncmp(*environment, key, size) == 0 && (*environment)[size] == '=')
            return *environment + size + 1;
    return NULL;
}

/* The mask outlives exec. Dispositions are those of a new process already: the shim has none of its own. */
static void unblock_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int try_program(const char *path, char *const *arguments, char *const *environment)
{
    struct stat status;

    execve(path, arguments, environment);
    /* A directory gives EACCES as well as a file without x; keep the kernel's answer but for a missing interpreter. */
    if (errno == EACCES && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return -EISDIR;
    return -errno;
}

/* As execvp(3) does it: what is merely absent is passed over, EACCES is remembered. */
static int search_path(char *const *arguments, char *const *environment)
{
    const char *path = value_of(environment, "PATH");
    int result = -ENOENT;
    char candidate[4096];

    for (const char *at = path == NULL ? "" : path; *at != '\0';) {
        size_t size = strcspn(at, ":");
        int failure;

        if (snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)size, size == 0 ? "." : at, arguments[0]) <
            (int)sizeof(candidate)) {
            failure = try_program(candidate, arguments, environment);
            if (failure == -EACCES || failure == -EISDIR)
                result = -EACCES;
            else if (failure != -ENOENT && failure != -ENOTDIR)
                return failure;
        }
        at += size + (at[size] == ':');
    }
    return result;
}

static int look_at(const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return errno == ENOENT || errno == ENOTDIR ? -ENOENT : 0; /* whatever else it is, exec will say */
    return S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0 ? 0 : -EACCES;
}

/*
 * Finds out whether there is such a program, for containers that are started later than created: who makes one wants to
 * know now. `search` is PATH.
 */
int tsc_op_find_program(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *program = tsc_take_string(payload);
    const char *search = tsc_take_string(payload);
    char candidate[4096];
    int result = -ENOENT;

    (void)launch;
    if (strchr(program, '/') != NULL) {
        result = look_at(program);
        return result < 0 ? tsc_fail(err, -result, "execve", "%s", program) : 0;
    }
    while (*search != '\0') {
        size_t size = strcspn(search, ":");
        int found = -ENOENT;

        if (snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)size, size == 0 ? "." : search, program) <
            (int)sizeof(candidate))
            found = look_at(candidate);
        if (found == 0)
            return 0;
        if (found == -EACCES)
            result = found;
        search += size + (search[size] == ':');
    }
    return tsc_fail(err, -result, "execve", "%s", program);
}

int tsc_op_execute(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    size_t argument_count = 0;
    size_t environment_count = 0;
    TSC_AUTO_FREE char **arguments = tsc_take_list(payload, 0, &argument_count);
    TSC_AUTO_FREE char **environment = tsc_take_list(payload, 1, &environment_count);
    char home[sizeof(launch->home) + 8];
    struct { char mark; } about_to_execute = { 'E' };
    int failure;

    if (arguments == NULL || environment == NULL)
        return tsc_fail(err, ENOMEM, "execve", "arguments");
    if (argument_count == 0)
        return tsc_fail(err, EINVAL, "execve", "no program");
    if (value_of(environment, "HOME") == NULL) {
        snprintf(home, sizeof(home), "HOME=%s", launch->home[0] == '\0' ? "/" : launch->home);
        environment[environment_count] = home;
    }
    if (tsc_place_kept(launch, err) < 0)
        return -err->errnum;
    if (launch->limits_open_files && setrlimit(RLIMIT_NOFILE, &launch->open_files) < 0)
        return tsc_fail(err, errno, "prlimit", "open files");
    /* After the change of identity, which clears it: the kernel ends the container when the shim is killed. */
    if (!launch->handed_over && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return tsc_fail(err, errno, "prctl", "parent death signal");
    /* Proves that the shim was still there after that: a dead one has closed its side. */
    if (write(launch->report_fd, &about_to_execute, sizeof(about_to_execute)) < 0)
        return tsc_fail(err, errno, "write", "report");
    unblock_signals();
    failure = strchr(arguments[0], '/') != NULL ? try_program(arguments[0], arguments, environment)
                                                : search_path(arguments, environment);
    return tsc_fail(err, failure == -EISDIR ? EACCES : -failure, "execve", "%s", arguments[0]);
}
