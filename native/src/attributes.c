/* Attributes of the process that the OCI runtime-spec names beside limits and identity. */
#include "launch.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#define IOPRIO_WHO_PROCESS 1
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4u
#endif

int tsc_op_personality(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t domain = tsc_take_u32(payload);

    (void)launch;
    return personality(domain) < 0 ? tsc_fail(err, errno, "personality", "0x%x", domain) : 0;
}

/* struct sched_attr of sched_setattr(2), which C libraries do not declare. */
struct scheduling {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};
_Static_assert(sizeof(struct scheduling) == 48, "SCHED_ATTR_SIZE_VER0");

int tsc_op_scheduler(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    struct scheduling attributes = { .size = sizeof(attributes) };

    (void)launch;
    attributes.policy = tsc_take_u32(payload);
    attributes.nice = (int32_t)tsc_take_u32(payload);
    attributes.priority = tsc_take_u32(payload);
    attributes.flags = tsc_take_u64(payload);
    attributes.runtime = tsc_take_u64(payload);
    attributes.deadline = tsc_take_u64(payload);
    attributes.period = tsc_take_u64(payload);
    if (syscall(SYS_sched_setattr, 0, &attributes, 0) < 0)
        return tsc_fail(err, errno, "sched_setattr", "policy %u", attributes.policy);
    return 0;
}

int tsc_op_io_priority(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t value = tsc_take_u32(payload);

    (void)launch;
    if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value) < 0)
        return tsc_fail(err, errno, "ioprio_set", "0x%x", value);
    return 0;
}

/* set_mempolicy(2); `nodes` is a bit mask of 64-bit words. */
int tsc_op_memory_policy(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t mode = tsc_take_u32(payload);
    struct tsc_bytes nodes = tsc_take_bytes(payload);
    unsigned long mask[16] = { 0 };

    (void)launch;
    if (nodes.size > sizeof(mask))
        return tsc_fail(err, EINVAL, "set_mempolicy", "%u bytes of nodes", nodes.size);
    memcpy(mask, nodes.data, nodes.size);
    if (syscall(SYS_set_mempolicy, (int)mode, nodes.size == 0 ? NULL : mask,
                nodes.size == 0 ? 0ul : (unsigned long)nodes.size * 8 + 1) < 0)
        return tsc_fail(err, errno, "set_mempolicy", "mode 0x%x", mode);
    return 0;
}

int tsc_op_cpu_affinity(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    struct tsc_bytes mask = tsc_take_bytes(payload);

    (void)launch;
    if (mask.size == 0 || mask.size % 8 != 0)
        return tsc_fail(err, EINVAL, "sched_setaffinity", "mask of %u bytes", mask.size);
    if (syscall(SYS_sched_setaffinity, 0, (size_t)mask.size, mask.data) < 0)
        return tsc_fail(err, errno, "sched_setaffinity", "mask of %u bytes", mask.size);
    return 0;
}

/*
 * A label of AppArmor or SELinux, written below /proc/self/attr. The path is the host's, before the pivot; what is opened
 * is proved to be procfs, so that no mount over it can swallow the label (CVE-2019-16884, CVE-2025-52881).
 */
int tsc_op_label(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *file = tsc_take_string(payload);
    const char *label = tsc_take_string(payload);
    char path[64];
    struct statfs kind;
    TSC_AUTO_FD fd = -1;

    (void)launch;
    if (strstr(file, "..") != NULL || snprintf(path, sizeof(path), "/proc/thread-self/attr/%s", file) >= (int)sizeof(path))
        return tsc_fail(err, EINVAL, "label", "%s", file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    if (fstatfs(fd, &kind) < 0 || kind.f_type != PROC_SUPER_MAGIC)
        return tsc_fail(err, ENODEV, "label", "%s is not a file of procfs", path);
    if (write(fd, label, strlen(label)) < 0)
        return tsc_fail(err, errno, "write", "'%s' to %s", label, path);
    return 0;
}

/* The three streams belong to the program's user, so that /dev/stdout can be opened again; devices are not ours to give. */
int tsc_op_stdio_owner(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uid_t uid = tsc_take_u32(payload);
    gid_t gid = tsc_take_u32(payload);

    for (int number = 0; number < 3; number++) {
        int fd = launch->stdio == NULL ? number : launch->stdio[number];
        struct stat status;

        if (fstat(fd, &status) < 0)
            continue; /* a closed stream is the caller's wish */
        if (S_ISCHR(status.st_mode) || (status.st_uid == uid && status.st_gid == gid))
            continue;
        if (fchown(fd, uid, gid) < 0 && errno != EPERM && errno != EROFS && errno != EINVAL)
            return tsc_fail(err, errno, "chown", "stdio %d", number);
    }
    return 0;
}

/* Root of a new user namespace, once its maps are written; before that every id is the overflow id. */
int tsc_op_become_root(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    (void)launch;
    (void)payload;
    if (setresgid(0, 0, 0) < 0)
        return tsc_fail(err, errno, "setresgid", "0 of the user namespace");
    if (setresuid(0, 0, 0) < 0)
        return tsc_fail(err, errno, "setresuid", "0 of the user namespace");
    return 0;
}

/* Numbers that descriptors of the caller shall have; they came as 4, 5, …, behind the control channel. */
int tsc_op_keep_descriptors(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    struct tsc_bytes numbers = tsc_take_bytes(payload);
    struct tsc_kept *kept;

    if (numbers.size % sizeof(kept->numbers[0]) != 0 || numbers.size > sizeof(kept->numbers))
        return tsc_fail(err, EINVAL, "keep-descriptors", "%u bytes", numbers.size);
    if (launch->kept == NULL)
        launch->kept = malloc(sizeof(*kept));
    if (launch->kept == NULL)
        return tsc_fail(err, ENOMEM, "keep-descriptors", "%u bytes", numbers.size);
    kept = launch->kept;
    memcpy(kept->numbers, numbers.data, numbers.size);
    kept->count = numbers.size / sizeof(kept->numbers[0]);
    for (size_t i = 0; i < kept->count; i++)
        if (kept->numbers[i] < 3 || (i > 0 && kept->numbers[i] <= kept->numbers[i - 1]))
            return tsc_fail(err, EINVAL, "keep-descriptors", "number %d", kept->numbers[i]);
    return 0;
}

/*
 * Everything that is in the way moves above the highest number first, the channel of the report included; then the program
 * gets those that it was promised, and no other.
 */
int tsc_place_kept(struct tsc_launch *launch, struct tsc_err *err)
{
    struct tsc_kept *kept = launch->kept;
    size_t count = kept == NULL ? 0 : kept->count;
    int top = count == 0 ? 3 : kept->numbers[count - 1] + 1;

    if (count > 0) {
        int report = fcntl(launch->report_fd, F_DUPFD_CLOEXEC, top);

        if (report < 0)
            return tsc_fail(err, errno, "fcntl", "report");
        close(launch->report_fd);
        launch->report_fd = report;
    }
    for (size_t i = 0; i < count; i++) {
        int raised = fcntl(4 + (int)i, F_DUPFD_CLOEXEC, top);

        if (raised < 0)
            return tsc_fail(err, errno, "fcntl", "descriptor for %d", kept->numbers[i]);
        kept->raised[i] = raised;
    }
    if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
        return tsc_fail(err, errno, "close_range", "from 3");
    for (size_t i = 0; i < count; i++)
        if (dup2(kept->raised[i], kept->numbers[i]) < 0)
            return tsc_fail(err, errno, "dup2", "descriptor %d", kept->numbers[i]);
    return 0;
}
