/* Operations that somebody has written down since the launch: a later run of the container begins with these. */
#include "launch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* In memory that stays: operations keep texts of theirs. */
static int read_plan(const char *path, int fd, struct tsc_plan *plan, struct tsc_err *err)
{
    struct stat status;
    uint8_t *data;
    int result;

    if (fstat(fd, &status) < 0)
        return tsc_fail(err, errno, "fstat", "%s", path);
    if (!S_ISREG(status.st_mode) || status.st_size > TSC_PLAN_MAX)
        return tsc_fail(err, EINVAL, "plan", "%s", path);
    data = malloc((size_t)status.st_size + 1);
    if (data == NULL)
        return tsc_fail(err, ENOMEM, "plan", "%s", path);
    result = tsc_read_all(fd, data, (size_t)status.st_size);
    if (result < 0)
        return tsc_fail(err, -result, "read", "%s", path);
    return tsc_plan_decode(plan, data, (size_t)status.st_size, err);
}

int tsc_op_saved_operations(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    uint32_t replaced = tsc_take_u32(payload);
    TSC_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct tsc_failure failure = { .section = TSC_PREPARE };
    struct tsc_plan plan;

    if (fd < 0)
        return errno == ENOENT ? 0 : tsc_fail(err, errno, "open", "%s", path);
    if (read_plan(path, fd, &plan, err) < 0)
        return -err->errnum;
    if (tsc_plan_run(&plan, TSC_PREPARE, launch, false, &failure) < 0) {
        *err = failure.err;
        return -err->errnum;
    }
    launch->skipped = replaced;
    return 0;
}
