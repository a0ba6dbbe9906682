#include "pack.h"

#include "sorted-names.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

/* Those that linux/magic.h of older headers lacks. */
#ifndef CGROUP2_SUPER_MAGIC
#define CGROUP2_SUPER_MAGIC 0x63677270
#endif
#ifndef BPF_FS_MAGIC
#define BPF_FS_MAGIC 0xcafe4a11
#endif
#define MQUEUE_MAGIC 0x19800202

struct linked {
    dev_t device;
    ino_t inode;
    char name[];
};

static int by_inode(const void *left, const void *right)
{
    const struct linked *a = left;
    const struct linked *b = right;

    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    return a->inode == b->inode ? 0 : a->inode < b->inode ? -1 : 1;
}

/* The name under which this file is in the archive already, or NULL. */
static const char *earlier_name(struct pack *pack, const struct stat *status)
{
    size_t size = strlen(pack->name) + 1;
    struct linked *own = malloc(sizeof(*own) + size);
    struct linked **found;

    if (own == NULL)
        return NULL; /* then it is there twice */
    *own = (struct linked){ .device = status->st_dev, .inode = status->st_ino };
    memcpy(own->name, pack->name, size);
    found = tsearch(own, &pack->links, by_inode);
    if (found == NULL || *found == own)
        return NULL;
    free(own);
    return (*found)->name;
}

static int add_xattrs(struct layer_object object, struct tar_records *records, struct tsc_err *err)
{
    static char value[64 * 1024];
    static struct layer_xattrs xattrs;
    int result = layer_list_xattrs(object, &xattrs, err);
    const char *key;

    while (result == 0 && (key = layer_next_xattr(&xattrs)) != NULL) {
        char record[300];
        ssize_t size;

        if (!layer_may_set_xattr(key))
            continue;
        size = layer_get_xattr(object, key, value, sizeof(value));
        if (size == -ENODATA)
            continue; /* it has gone meanwhile */
        if (size < 0)
            return tsc_fail(err, (int)-size, "lgetxattr", "%s", key);
        snprintf(record, sizeof(record), "SCHILY.xattr.%s", key);
        result = tar_add_record(records, record, value, (size_t)size, err);
    }
    return result;
}

static struct tar_member member_of(const struct pack *pack, const struct stat *status, const char *name, char type)
{
    return (struct tar_member){
        .name = name,
        .type = type,
        .mode = status->st_mode & 07777,
        .uid = pack->owned ? pack->uid : status->st_uid,
        .gid = pack->owned ? pack->gid : status->st_gid,
        .mtime = status->st_mtim.tv_sec,
    };
}

static int write_member(struct pack *pack, struct layer_object object, const struct tar_member *member)
{
    struct tar_records records = { 0 };
    int result = add_xattrs(object, &records, pack->err);

    if (result < 0) {
        free(records.data);
        return result;
    }
    return tar_write_member(&pack->writer, member, &records);
}

static int pack_file(struct pack *pack, int parent, const char *base)
{
    /* O_NONBLOCK: it may be a FIFO by now, whose writer nobody is. */
    TSC_AUTO_FD fd = openat(parent, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct tar_member member;
    struct stat status;
    int result;

    if (fd < 0)
        return errno == ENOENT ? 0 : tsc_fail(pack->err, errno, "openat", "%s", pack->name);
    if (fstat(fd, &status) < 0)
        return tsc_fail(pack->err, errno, "fstat", "%s", pack->name);
    if (!S_ISREG(status.st_mode))
        return 0; /* replaced in this moment */
    member = member_of(pack, &status, pack->name, '0');
    member.size = (uint64_t)status.st_size;
    result = write_member(pack, (struct layer_object){ .fd = fd }, &member);
    return result < 0 ? result : tar_write_content(&pack->writer, fd, member.size);
}

static int pack_link(struct pack *pack, int parent, const char *base, const struct stat *status)
{
    struct tar_member member = member_of(pack, status, pack->name, '2');
    char target[TAR_PATH_MAX + 1];
    ssize_t size = readlinkat(parent, base, target, TAR_PATH_MAX);

    if (size < 0)
        return errno == ENOENT || errno == EINVAL ? 0 : tsc_fail(pack->err, errno, "readlinkat", "%s", pack->name);
    target[size] = '\0';
    member.link = target;
    return write_member(pack, (struct layer_object){ -1, parent, base }, &member);
}

int pack_directory(struct pack *pack, int directory, const struct stat *status)
{
    char name[sizeof(pack->name) + 1];
    struct tar_member member;

    snprintf(name, sizeof(name), "%s/", pack->name);
    member = member_of(pack, status, name, '5');
    return write_member(pack, (struct layer_object){ .fd = directory }, &member);
}

static int pack_hard_link(struct pack *pack, const struct stat *status, const char *target)
{
    struct tar_member member = member_of(pack, status, pack->name, '1');
    struct tar_records records = { 0 };

    member.link = target;
    return tar_write_member(&pack->writer, &member, &records);
}

int pack_one(struct pack *pack, int parent, const char *base, const struct stat *status)
{
    const char *earlier = status->st_nlink > 1 && !S_ISDIR(status->st_mode) ? earlier_name(pack, status) : NULL;
    struct tar_member member;

    if (earlier != NULL)
        return pack_hard_link(pack, status, earlier);
    switch (status->st_mode & S_IFMT) {
    case S_IFREG:
        return pack_file(pack, parent, base);
    case S_IFLNK:
        return pack_link(pack, parent, base, status);
    case S_IFDIR: {
        TSC_AUTO_FD fd = openat(parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
            return errno == ENOENT ? 0 : tsc_fail(pack->err, errno, "openat", "%s", pack->name);
        return pack_directory(pack, fd, status);
    }
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
        member = member_of(pack, status, pack->name, S_ISCHR(status->st_mode) ? '3' : S_ISBLK(status->st_mode) ? '4' : '6');
        member.major = S_ISFIFO(status->st_mode) ? 0 : major(status->st_rdev);
        member.minor = S_ISFIFO(status->st_mode) ? 0 : minor(status->st_rdev);
        return write_member(pack, (struct layer_object){ -1, parent, base }, &member);
    default:
        layer_warn(pack->name, "a socket is nothing for an archive");
        return 0;
    }
}

int pack_marker(struct pack *pack, const char *name)
{
    struct tar_member member = { .name = name, .type = '0', .mode = 0600 };
    struct tar_records records = { 0 };

    return tar_write_member(&pack->writer, &member, &records);
}

int pack_enter(struct pack *pack, const char *component)
{
    size_t length = strlen(pack->name);
    int added = snprintf(pack->name + length, sizeof(pack->name) - length, "%s%s", length > 0 ? "/" : "", component);

    if (length + (size_t)added > TAR_PATH_MAX) {
        pack->name[length] = '\0';
        return tsc_fail(pack->err, ENAMETOOLONG, "archive", "%s", component);
    }
    return (int)length;
}

void pack_leave(struct pack *pack, int length)
{
    pack->name[length] = '\0';
}

/* What the kernel makes up is no content: its mount points stay empty. */
static bool is_made_up(int directory)
{
    static const unsigned long kinds[] = {
        PROC_SUPER_MAGIC, SYSFS_MAGIC,   DEVPTS_SUPER_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
        MQUEUE_MAGIC,     DEBUGFS_MAGIC, TRACEFS_MAGIC,      SECURITYFS_MAGIC,   BPF_FS_MAGIC,
    };
    struct statfs status;

    if (fstatfs(directory, &status) < 0)
        return false;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if ((unsigned long)status.f_type == kinds[i])
            return true;
    return false;
}

static int pack_subdirectory(struct pack *pack, int parent, const char *base, dev_t device)
{
    TSC_AUTO_FD fd = openat(parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    int result;

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : tsc_fail(pack->err, errno, "openat", "%s", pack->name);
    if (fstat(fd, &status) < 0)
        return tsc_fail(pack->err, errno, "fstat", "%s", pack->name);
    if ((result = pack_directory(pack, fd, &status)) < 0)
        return result;
    if (status.st_dev != device && is_made_up(fd))
        return 0;
    return pack_children(pack, fd, status.st_dev);
}

static int pack_child(struct pack *pack, int directory, const char *base, dev_t device)
{
    struct stat status;
    int length, result;

    if (fstatat(directory, base, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : tsc_fail(pack->err, errno, "fstatat", "%s", base);
    if ((length = pack_enter(pack, base)) < 0)
        return length;
    result = S_ISDIR(status.st_mode) ? pack_subdirectory(pack, directory, base, device)
                                     : pack_one(pack, directory, base, &status);
    if (result == 0)
        pack_leave(pack, length);
    return result;
}

int pack_children(struct pack *pack, int directory, dev_t device)
{
    AUTO_NAMES names = { 0 };
    int result = sorted_names(directory, &names, pack->err);

    for (size_t i = 0; result == 0 && i < names.count; i++)
        result = pack_child(pack, directory, names.list[i], device);
    return result;
}
