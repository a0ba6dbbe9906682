/* The end of a cgroup: for containers whose processes the kernel does not end with the first one. */
#include "launch.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define AT_ONCE 64
#define DEPTH_MAX 32
#define TRIES 2000 /* of a millisecond each */

/* Calls `act` for each group directly below the one in `fd`. */
static int for_groups(int fd, unsigned depth, int (*act)(int parent, const char *name, unsigned depth))
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry;
    int result = 0;

    if (directory == NULL) {
        tsc_close_p(&copy);
        return -errno;
    }
    while (result == 0 && (entry = readdir(directory)) != NULL)
        if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = depth >= DEPTH_MAX ? -ELOOP : act(fd, entry->d_name, depth + 1);
    closedir(directory);
    return result;
}

/* How many there are, of whom the first are in `pids`; or -errno. */
static int read_members(int group, pid_t pids[AT_ONCE])
{
    TSC_AUTO_FD fd = openat(group, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    char text[4096];
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    int count = 0;

    if (size < 0)
        return errno == ENODEV ? 0 : -errno; /* the group has gone */
    text[size] = '\0';
    for (char *at = text; *at != '\0' && count < AT_ONCE; at = strchr(at, '\n') == NULL ? at + strlen(at) : strchr(at, '\n') + 1)
        pids[count++] = (pid_t)strtol(at, NULL, 10);
    return count;
}

static bool is_listed(pid_t pid, const pid_t pids[AT_ONCE], int count)
{
    for (int i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* A pid is no proof: it is looked for once more while a pidfd holds the process. */
static int kill_members(int group)
{
    pid_t pids[AT_ONCE];
    pid_t again[AT_ONCE];
    int fds[AT_ONCE];
    int count = read_members(group, pids);
    int now;

    if (count <= 0)
        return count;
    for (int i = 0; i < count; i++)
        fds[i] = pids[i] <= 0 ? -1 : (int)syscall(SYS_pidfd_open, pids[i], 0);
    now = read_members(group, again);
    for (int i = 0; i < count; i++) {
        if (fds[i] >= 0 && is_listed(pids[i], again, now))
            syscall(SYS_pidfd_send_signal, fds[i], SIGKILL, NULL, 0);
        tsc_close_p(&fds[i]);
    }
    return count;
}

static int kill_group(int parent, const char *name, unsigned depth)
{
    TSC_AUTO_FD fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    struct timespec pause = { .tv_nsec = 1000 * 1000 };
    int left = 1;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    for (int tries = 0; tries < TRIES && left > 0; tries++) {
        left = kill_members(fd);
        while (waitpid(-1, NULL, WNOHANG) > 0) /* as a subreaper: a group stays busy until its last task is reaped */
            continue;
        if (left > 0)
            nanosleep(&pause, NULL);
    }
    if (left != 0)
        return left < 0 ? left : -ETIMEDOUT;
    return for_groups(fd, depth, kill_group);
}

int tsc_op_kill_group(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)err;
    launch->killed_group = tsc_take_string(payload);
    return 0;
}

void tsc_kill_group(struct tsc_launch *launch)
{
    if (launch->killed_group != NULL && kill_group(AT_FDCWD, launch->killed_group, 0) == 0)
        launch->killed_group = NULL;
}

static int remove_group(int parent, const char *name, unsigned depth)
{
    TSC_AUTO_FD fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    int result;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    result = for_groups(fd, depth, remove_group);
    if (result < 0)
        return result;
    return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int tsc_remove_groups_below(const char *path)
{
    TSC_AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    return fd < 0 ? -errno : for_groups(fd, 0, remove_group);
}
