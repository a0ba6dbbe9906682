/* Limits and restrictions of the process itself. */
#include "launch.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int tsc_op_rlimit(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t resource = tsc_take_u32(payload);
    uint64_t soft = tsc_take_u64(payload);
    uint64_t hard = tsc_take_u64(payload);
    struct rlimit limit = { .rlim_cur = (rlim_t)soft, .rlim_max = (rlim_t)hard };
    struct rlimit now;

    if (resource == RLIMIT_NOFILE && getrlimit(RLIMIT_NOFILE, &now) == 0) {
        /* Raised here, while that is allowed; lowered at the end: the steps in between open files themselves. */
        launch->open_files = limit;
        launch->limits_open_files = true;
        limit.rlim_cur = limit.rlim_cur < now.rlim_cur ? now.rlim_cur : limit.rlim_cur;
        limit.rlim_max = limit.rlim_max < now.rlim_max ? now.rlim_max : limit.rlim_max;
    }
    if (syscall(SYS_prlimit64, 0, resource, &limit, NULL) < 0)
        return tsc_fail(err, errno, "prlimit", "resource %u to %llu:%llu", resource, (unsigned long long)soft,
                        (unsigned long long)hard);
    return 0;
}

int tsc_op_oom_score(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *score = tsc_take_string(payload);
    TSC_AUTO_FD fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    (void)launch;
    if (fd < 0)
        return tsc_fail(err, errno, "open", "/proc/self/oom_score_adj");
    if (write(fd, score, strlen(score)) < 0)
        return tsc_fail(err, errno, "write", "oom_score_adj %s", score);
    return 0;
}

int tsc_op_umask(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)launch;
    (void)err;
    umask((mode_t)tsc_take_u32(payload));
    return 0;
}

int tsc_op_session(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)launch;
    (void)payload;
    if (setsid() < 0)
        return tsc_fail(err, errno, "setsid", "new session");
    return 0;
}

int tsc_op_no_new_privileges(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)launch;
    (void)payload;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return tsc_fail(err, errno, "prctl", "no_new_privs");
    return 0;
}

int tsc_op_seccomp(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t flags = tsc_take_u32(payload);
    struct tsc_bytes filter = tsc_take_bytes(payload);
    size_t count = filter.size / sizeof(struct sock_filter);
    TSC_AUTO_FREE struct sock_filter *code = malloc(filter.size); /* the plan gives no alignment */
    struct sock_fprog program = { .len = (unsigned short)count, .filter = code };

    (void)launch;
    if (code == NULL)
        return tsc_fail(err, ENOMEM, "seccomp", "filter");
    if (filter.size % sizeof(struct sock_filter) != 0 || count == 0 || count > BPF_MAXINSNS)
        return tsc_fail(err, EINVAL, "seccomp", "filter of %u bytes", filter.size);
    memcpy(code, filter.data, filter.size);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) < 0)
        return tsc_fail(err, errno, "seccomp", "filter of %zu instructions", count);
    return 0;
}

/*
 * With SCMP_ACT_NOTIFY: the listener's descriptor goes to the socket in `slot`, beside a JSON text whose pid only the shim
 * knew. @see OCI runtime-spec, "Container Process State"
 */
int tsc_op_seccomp_notify(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t flags = tsc_take_u32(payload);
    struct tsc_bytes filter = tsc_take_bytes(payload);
    uint32_t slot = tsc_take_u32(payload);
    const char *before = tsc_take_string(payload);
    const char *after = tsc_take_string(payload);
    size_t count = filter.size / sizeof(struct sock_filter);
    size_t room = strlen(before) + strlen(after) + 16;
    TSC_AUTO_FREE struct sock_filter *code = malloc(filter.size);
    TSC_AUTO_FREE char *text = malloc(room);
    struct sock_fprog program = { .len = (unsigned short)count, .filter = code };
    TSC_AUTO_FD listener = -1;
    int result;

    if (slot >= TSC_MAX_TARGETS || launch->targets[slot] < 0)
        return tsc_fail(err, EINVAL, "seccomp", "no socket in slot %u", slot);
    if (code == NULL || text == NULL)
        return tsc_fail(err, ENOMEM, "seccomp", "filter");
    if (filter.size % sizeof(struct sock_filter) != 0 || count == 0 || count > BPF_MAXINSNS)
        return tsc_fail(err, EINVAL, "seccomp", "filter of %u bytes", filter.size);
    memcpy(code, filter.data, filter.size);
    snprintf(text, room, "%s%d%s", before, (int)launch->own_pid, after);
    listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (listener < 0)
        return tsc_fail(err, errno, "seccomp", "filter of %zu instructions with a listener", count);
    result = tsc_send_with_descriptor(launch->targets[slot], text, strlen(text), listener);
    return result < 0 ? tsc_fail(err, -result, "sendmsg", "the seccomp listener") : 0;
}
