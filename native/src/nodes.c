/* Things made inside the container's root: device nodes, links, directories, the working directory. */
#include "launch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* `mode` carries the type as in mknod(2). */
int tsc_op_node(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    mode_t mode = (mode_t)tsc_take_u32(payload);
    unsigned major_number = tsc_take_u32(payload);
    unsigned minor_number = tsc_take_u32(payload);
    uid_t uid = tsc_take_u32(payload);
    gid_t gid = tsc_take_u32(payload);
    char name[256];
    int parent = tsc_borrow_parent(launch, path, name, err);
    mode_t mask;
    int made;
    int failure;

    if (parent < 0)
        return parent;
    /* Without a mask, since a chmod afterwards could be led elsewhere by whoever shares the directory. */
    mask = umask(0);
    made = mknodat(parent, name, mode, makedev(major_number, minor_number));
    failure = errno;
    umask(mask);
    if (made < 0)
        return tsc_fail(err, failure, "mknod", "%s", path);
    if (fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
        return tsc_fail(err, errno, "chown", "%s", path);
    return 0;
}

/* The same, content with a node that is there already if it is the same device: the OCI runtime-spec asks for that. */
int tsc_op_ensure_node(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    struct tsc_reader copy = *payload;
    const char *path = tsc_take_string(&copy);
    mode_t mode = (mode_t)tsc_take_u32(&copy);
    unsigned major_number = tsc_take_u32(&copy);
    unsigned minor_number = tsc_take_u32(&copy);
    char name[256];
    struct stat status;
    TSC_AUTO_FD parent = tsc_open_parent(launch, path, name, err);

    if (parent < 0)
        return parent;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? tsc_op_node(launch, payload, err) : tsc_fail(err, errno, "fstat", "%s", path);
    if ((status.st_mode & S_IFMT) != (mode & S_IFMT) ||
        ((S_ISCHR(mode) || S_ISBLK(mode)) && status.st_rdev != makedev(major_number, minor_number)))
        return tsc_fail(err, EEXIST, "mknod", "%s is there and something else", path);
    return 0;
}

int tsc_op_symlink(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    const char *destination = tsc_take_string(payload);
    char name[256];
    int parent = tsc_borrow_parent(launch, path, name, err);

    if (parent < 0)
        return parent;
    if (symlinkat(destination, parent, name) < 0 && errno != EEXIST)
        return tsc_fail(err, errno, "symlink", "%s", path);
    return 0;
}

int tsc_op_root_directory(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    mode_t mode = (mode_t)tsc_take_u32(payload);
    uid_t uid = tsc_take_u32(payload);
    gid_t gid = tsc_take_u32(payload);
    char name[256];
    TSC_AUTO_FD parent = tsc_open_parent(launch, path, name, err);
    TSC_AUTO_FD made = -1;

    if (parent < 0)
        return parent;
    if (mkdirat(parent, name, mode) < 0)
        return errno == EEXIST ? 0 : tsc_fail(err, errno, "mkdir", "%s", path);
    made = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (made < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    if (fchown(made, uid, gid) < 0 || fchmod(made, mode) < 0)
        return tsc_fail(err, errno, "chown", "%s", path);
    return 0;
}

/*
 * Runs after the change of identity, so that the user's own permissions decide, and after the pivot: "/" is the
 * container's. A path through /proc/self/fd leads outside when a descriptor leaked (CVE-2024-21626): none is open, and
 * getcwd(2) proves that we are inside.
 */
int tsc_op_working_directory(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    bool prove_only = tsc_take_u32(payload) != 0;
    char current[4096];

    (void)launch;
    if (!prove_only && chdir(path) < 0)
        return tsc_fail(err, errno, "chdir", "%s", path);
    if (getcwd(current, sizeof(current)) == NULL || current[0] != '/')
        return tsc_fail(err, ENOENT, "chdir", "%s is outside of the container", path);
    return 0;
}
