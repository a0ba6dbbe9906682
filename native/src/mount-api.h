/*
 * The mount system calls, declared here because <sys/mount.h> and <linux/mount.h> contradict each other in some C
 * libraries. Linux 5.12 has all of them.
 */
#ifndef TSC_MOUNT_API_H
#define TSC_MOUNT_API_H

#include "base.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

static inline int tsc_fsopen(const char *type)
{
    return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static inline int tsc_fsconfig(int fs, unsigned command, const char *key, const char *value)
{
    return (int)syscall(SYS_fsconfig, fs, command, key, value, 0);
}

static inline int tsc_fsmount(int fs, unsigned attributes)
{
    return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
}

static inline int tsc_open_tree(int directory, const char *path, unsigned flags)
{
    return (int)syscall(SYS_open_tree, directory, path, flags | OPEN_TREE_CLOEXEC);
}

/* Puts the mount `from` on the directory or file `to`, both given as descriptors. */
static inline int tsc_move_mount(int from, int to)
{
    return (int)syscall(SYS_move_mount, from, "", to, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static inline int tsc_mount_setattr(int directory, const char *path, unsigned flags, uint64_t set, uint64_t clear,
                                    uint64_t propagation)
{
    struct mount_attr attr = { .attr_set = set, .attr_clr = clear, .propagation = propagation };

    return (int)syscall(SYS_mount_setattr, directory, path, flags, &attr, sizeof(attr));
}

static inline int tsc_mount(const char *source, const char *target, const char *type, unsigned long flags,
                            const char *data)
{
    return (int)syscall(SYS_mount, source, target, type, flags, data);
}

/* Makes a file system and gives a detached mount of it; `options` are "key=value" or "flag", NULL at the end. */
int tsc_new_mount(const char *type, char *const *options, unsigned attributes, struct tsc_err *err);

#endif
