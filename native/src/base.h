/* Shared ground of all roles: failures, owned resources, paths below an untrusted root. */
#ifndef TSC_BASE_H
#define TSC_BASE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

/* The first failure of a piece of work. Filled once; nothing allocates on the error path. */
struct tsc_err {
    int errnum;       /* errno, 0 while nothing has failed */
    char op[32];      /* what failed: "openat2", "mount", ... */
    char detail[256]; /* its operand, truncated if need be */
};

/* Records a failure and returns -errnum (or -EIO for 0). The first one wins: it is the cause. */
__attribute__((format(printf, 4, 5))) int tsc_fail(struct tsc_err *err, int errnum, const char *op,
                                                   const char *fmt, ...);

/* Ownership: an owned resource is declared with one of these and handed over with a steal. */
void tsc_close_p(int *fd);
void tsc_free_p(void *pointer_to_pointer);
#define TSC_AUTO_FD __attribute__((cleanup(tsc_close_p))) int
#define TSC_AUTO_FREE __attribute__((cleanup(tsc_free_p)))

static inline int tsc_steal_fd(int *fd)
{
    int out = *fd;
    *fd = -1;
    return out;
}

/*
 * Opens `path` below `root_fd` as if root_fd were "/": absolute links and ".." stay inside, magic links are refused.
 * O_CLOEXEC is added. Returns an fd or -errno without recording it, for callers to whom a failure is an answer.
 */
int tsc_openat_in_root(int root_fd, const char *path, int flags, mode_t mode);

/* Reads exactly `size` bytes; 0, or -errno (-EPIPE at end of file). */
int tsc_read_all(int fd, void *buffer, size_t size);
/* Writes all bytes; 0 or -errno. */
int tsc_write_all(int fd, const void *buffer, size_t size);
/* Replaces a small file in one step: the old content or the new, never a part. 0 or -errno. */
int tsc_write_record(const char *path, const char *text, bool durable);
/* CLOCK_MONOTONIC. */
int64_t tsc_milliseconds(void);

/*
 * Takes one message and the descriptors that came with it, at most TSC_MAX_DESCRIPTORS, all close-on-exec. The answer is
 * recvmsg(2)'s, but -errno for a failure.
 */
#define TSC_MAX_DESCRIPTORS 4
ssize_t tsc_receive(int socket, void *data, size_t size, int fds[TSC_MAX_DESCRIPTORS], size_t *fd_count);

/* Roles: each gets what follows its name on the command line and returns the exit status of the process. */
int tsc_role_unpack(int argc, char **argv);
int tsc_role_supervise(int argc, char **argv);
int tsc_role_detached(int argc, char **argv);
int tsc_role_serve(int argc, char **argv);
int tsc_role_copy_tree(int argc, char **argv);
int tsc_role_remove_tree(int argc, char **argv);
int tsc_role_merge_layer(int argc, char **argv);
int tsc_role_fix_layer(int argc, char **argv);
int tsc_role_mount_points(int argc, char **argv);
int tsc_role_index_layer(int argc, char **argv);
int tsc_role_pack_tree(int argc, char **argv);
int tsc_role_stat_path(int argc, char **argv);
int tsc_role_copy_in(int argc, char **argv);
int tsc_role_list_changes(int argc, char **argv);
int tsc_role_pack_changes(int argc, char **argv);

#endif
