/*
 * Owner, mode, time. The order matters: chown clears set-id bits and file capabilities, so it comes first; extended
 * attributes before the mode, which has the last word on ACL masks; times last.
 */
#include "layer.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

bool layer_is_whiteout(const struct stat *status)
{
    return S_ISCHR(status->st_mode) && status->st_rdev == makedev(0, 0);
}

void layer_attributes_of(const struct stat *status, struct layer_attributes *out)
{
    *out = (struct layer_attributes){
        .uid = status->st_uid,
        .gid = status->st_gid,
        .mode = status->st_mode & 07777,
        .mtime = status->st_mtim,
    };
}

int layer_set_owner(struct layer_object object, const struct layer_attributes *attributes, struct tsc_err *err)
{
    int result = object.fd >= 0 ? fchown(object.fd, attributes->uid, attributes->gid)
                                : fchownat(object.parent, object.name, attributes->uid, attributes->gid,
                                           AT_SYMLINK_NOFOLLOW);

    return result < 0 ? tsc_fail(err, errno, "fchownat", "%u:%u", attributes->uid, attributes->gid) : 0;
}

static int set_mode(struct layer_object object, uint32_t mode)
{
    if (object.fd >= 0)
        return fchmod(object.fd, mode);
    if (syscall(SYS_fchmodat2, object.parent, object.name, mode, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    if (errno != ENOSYS)
        return -1;
    /* Before Linux 6.6: the name was created by us a moment ago and is no link. */
    return (int)syscall(SYS_fchmodat, object.parent, object.name, mode);
}

int layer_set_mode_and_time(struct layer_object object, const struct layer_attributes *attributes, bool mode,
                            struct tsc_err *err)
{
    struct timespec times[2] = { attributes->mtime, attributes->mtime };
    int result;

    if (mode && set_mode(object, attributes->mode) < 0)
        return tsc_fail(err, errno, "fchmodat", "mode %o", attributes->mode);
    result = object.fd >= 0 ? futimens(object.fd, times)
                            : utimensat(object.parent, object.name, times, AT_SYMLINK_NOFOLLOW);
    return result < 0 ? tsc_fail(err, errno, "utimensat", "%lld", (long long)times[0].tv_sec) : 0;
}

int layer_set_mtime(int directory, struct timespec mtime, struct tsc_err *err)
{
    struct timespec times[2] = { mtime, mtime };

    return futimens(directory, times) < 0 ? tsc_fail(err, errno, "utimensat", "directory") : 0;
}
