/*
 * Writes the entries of a layer archive into an empty directory, ready to be a lower directory of overlayfs (or, with
 * WHITEOUTS_NAMES, to be merged onto the layers below).
 *
 * Whiteouts act on the layers below only: one that hides a name which this layer also has leaves that name alone,
 * whichever comes first in the archive, but a directory then has to be opaque.
 */
#include "layer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

static struct layer_attributes attributes_of(const struct tar_entry *entry)
{
    return (struct layer_attributes){ entry->uid, entry->gid, entry->mode, entry->mtime };
}

static int set_xattrs(struct layer_writer *writer, struct layer_object object)
{
    size_t position = 0, size;
    const char *key;
    const void *value;
    int result = 0;

    while (result == 0 && tar_next_xattr(writer->archive, &position, &key, &value, &size) > 0) {
        if (layer_may_set_xattr(key))
            result = layer_set_xattr(object, key, value, size, writer->err);
        else
            layer_warn(key, "an image may not set this extended attribute");
    }
    return result;
}

static int set_all(struct layer_writer *writer, struct layer_object object, const struct tar_entry *entry, bool mode)
{
    struct layer_attributes attributes = attributes_of(entry);
    int result = layer_set_owner(object, &attributes, writer->err);

    if (result == 0)
        result = set_xattrs(writer, object);
    return result < 0 ? result : layer_set_mode_and_time(object, &attributes, mode, writer->err);
}

/* After a call that failed with EEXIST: removes what is in the way. */
static int make_way(struct layer_writer *writer, const char *name, int error, const char *op)
{
    if (error != EEXIST)
        return tsc_fail(writer->err, error, op, "%s", name);
    return layer_remove(writer->parent.fd, name, writer->err);
}

static int write_content(struct layer_writer *writer, int fd, const struct tar_entry *entry)
{
    const void *piece;
    size_t size;
    uint64_t offset, end = 0;
    int result;

    while ((result = tar_read(writer->archive, &piece, &size, &offset)) > 0) {
        if (offset != end && lseek(fd, (off_t)offset, SEEK_SET) < 0)
            return tsc_fail(writer->err, errno, "lseek", "content");
        if ((result = tsc_write_all(fd, piece, size)) < 0)
            return tsc_fail(writer->err, -result, "write", "content");
        end = offset + size;
        writer->bytes += size;
    }
    if (result == 0 && end < entry->size && ftruncate(fd, (off_t)entry->size) < 0)
        return tsc_fail(writer->err, errno, "ftruncate", "content");
    return result;
}

static int write_file(struct layer_writer *writer, const char *name, const struct tar_entry *entry)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    TSC_AUTO_FD fd = openat(writer->parent.fd, name, flags, 0600);
    int result;

    if (fd < 0) {
        if ((result = make_way(writer, name, errno, "openat")) < 0)
            return result;
        fd = openat(writer->parent.fd, name, flags, 0600);
        if (fd < 0)
            return tsc_fail(writer->err, errno, "openat", "%s", name);
    }
    if ((result = write_content(writer, fd, entry)) < 0)
        return result;
    return set_all(writer, (struct layer_object){ .fd = fd }, entry, true);
}

static int write_link(struct layer_writer *writer, const char *name, const struct tar_entry *entry)
{
    int parent = writer->parent.fd, result;

    if (entry->link[0] == 0)
        return tar_bad(writer->err, "a symbolic link without a target");
    if (symlinkat(entry->link, parent, name) < 0) {
        if ((result = make_way(writer, name, errno, "symlinkat")) < 0)
            return result;
        if (symlinkat(entry->link, parent, name) < 0)
            return tsc_fail(writer->err, errno, "symlinkat", "%s", name);
    }
    return set_all(writer, (struct layer_object){ -1, parent, name }, entry, false);
}

static int write_node(struct layer_writer *writer, const char *name, const struct tar_entry *entry)
{
    mode_t mode = entry->mode | (entry->type == '3' ? S_IFCHR : entry->type == '4' ? S_IFBLK : S_IFIFO);
    dev_t device = entry->type == '6' ? 0 : makedev(entry->major, entry->minor);
    int parent = writer->parent.fd, result;

    if (entry->type == '3' && device == makedev(0, 0))
        return tar_bad(writer->err, "character device 0:0 is how overlayfs says that a file is gone");
    if (mknodat(parent, name, mode, device) < 0) {
        if ((result = make_way(writer, name, errno, "mknodat")) < 0)
            return result;
        if (mknodat(parent, name, mode, device) < 0)
            return tsc_fail(writer->err, errno, "mknodat", "%s", name);
    }
    return set_all(writer, (struct layer_object){ -1, parent, name }, entry, (entry->mode & 07000) != 0);
}

/* Makes `name` a directory. A directory that takes the place of something else in this layer shows nothing below. */
static int make_directory(struct layer_writer *writer, const char *name, int *out)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int parent = writer->parent.fd, result;
    bool replaced = false, existed = false;

    if (mkdirat(parent, name, 0700) < 0) {
        struct stat status;

        if (errno != EEXIST || fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            return tsc_fail(writer->err, errno, "mkdirat", "%s", name);
        existed = S_ISDIR(status.st_mode);
        replaced = !existed;
        if (replaced && (result = layer_remove(parent, name, writer->err)) < 0)
            return result;
        if (replaced && mkdirat(parent, name, 0700) < 0)
            return tsc_fail(writer->err, errno, "mkdirat", "%s", name);
    }
    *out = openat(parent, name, flags);
    if (*out < 0)
        return tsc_fail(writer->err, errno, "openat", "%s", name);
    if (existed)
        return writer->parent.plain ? 0 : layer_clear_xattrs(*out, writer->err);
    return replaced ? layer_mark_opaque(*out, writer->whiteouts, writer->parent.opaque, writer->err) : 0;
}

static int write_directory(struct layer_writer *writer, const char *name, const struct tar_entry *entry)
{
    TSC_AUTO_FD fd = -1;
    struct stat status;
    int result = make_directory(writer, name, &fd);

    if (result < 0)
        return result;
    if (fstat(fd, &status) < 0)
        return tsc_fail(writer->err, errno, "fstat", "%s", name);
    layer_implicit_forget(&status);
    return set_all(writer, (struct layer_object){ .fd = fd }, entry, true);
}

void layer_report_root(const struct tar_entry *entry)
{
    char owner[48], time[48];

    snprintf(owner, sizeof(owner), "%u:%u:%u", entry->uid, entry->gid, entry->mode);
    snprintf(time, sizeof(time), "%lld.%09ld", (long long)entry->mtime.tv_sec, entry->mtime.tv_nsec);
    layer_report('R', owner, time);
}

static int write_root(struct layer_writer *writer, const struct tar_entry *entry)
{
    int result;

    if (entry->type != '5')
        return tar_bad(writer->err, "the root is no directory");
    if ((result = layer_leave(&writer->parent)) < 0 || (result = layer_clear_xattrs(writer->parent.root, writer->err)) < 0)
        return result;
    layer_report_root(entry);
    return set_all(writer, (struct layer_object){ .fd = writer->parent.root }, entry, true);
}

/* Finds the target of a hard link: 1, or 0 when this layer does not have it. */
static int find_target(struct layer_writer *writer, const char *target, int *parent, const char **base, char *buffer,
                       struct stat *status)
{
    const char *directory;

    layer_split(target, buffer, &directory, base);
    *parent = tsc_openat_in_root(writer->parent.root, directory[0] == 0 ? "." : directory, O_PATH | O_DIRECTORY, 0);
    if (*parent == -ENOENT || *parent == -ENOTDIR)
        return 0;
    if (*parent < 0)
        return tsc_fail(writer->err, -*parent, "openat2", "%s", target);
    if (fstatat(*parent, *base, status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : tsc_fail(writer->err, errno, "fstatat", "%s", target);
    if (S_ISDIR(status->st_mode))
        return tar_bad(writer->err, "a hard link to a directory");
    return layer_is_whiteout(status) ? 0 : 1;
}

/* The name below the root, and what it means there. */
static int clean_name(struct layer_writer *writer, const char *name, char *out, enum layer_name *kind, const char **hidden)
{
    char inside[TAR_PATH_MAX + 1];
    const char *slash;
    int result = layer_clean_name(name, inside, writer->err);

    if (result < 0)
        return result;
    if (!writer->parent.plain) {
        memcpy(out, inside, strlen(inside) + 1);
        return layer_classify(out, kind, hidden, writer->err);
    }
    *kind = inside[0] == 0 ? NAME_ROOT : NAME_ORDINARY;
    slash = writer->prefix[0] != 0 && inside[0] != 0 ? "/" : "";
    return snprintf(out, TAR_PATH_MAX + 1, "%s%s%s", writer->prefix, slash, inside) > (int)TAR_PATH_MAX
               ? tar_bad(writer->err, "the name is longer than %u bytes", TAR_PATH_MAX)
               : 0;
}

static int write_hard_link(struct layer_writer *writer, const char *name, const char *clean,
                           const struct tar_entry *entry)
{
    char target[TAR_PATH_MAX + 1], buffer[TAR_PATH_MAX + 1];
    TSC_AUTO_FD parent = -1;
    const char *base, *hidden;
    enum layer_name kind;
    struct stat status, there;
    int found, result = clean_name(writer, entry->link, target, &kind, &hidden);

    if (result < 0)
        return result;
    if (kind != NAME_ORDINARY)
        return tar_bad(writer->err, "a hard link to '%.100s'", entry->link);
    if ((found = find_target(writer, target, &parent, &base, buffer, &status)) < 0)
        return found;
    if (fstatat(writer->parent.fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0) {
        if (found > 0 && there.st_ino == status.st_ino && there.st_dev == status.st_dev)
            return 0;
        if ((result = layer_remove(writer->parent.fd, name, writer->err)) < 0)
            return result;
    }
    if (found == 0) {
        if (writer->parent.plain)
            return tar_bad(writer->err, "a hard link to '%.150s', which is not there", target);
        layer_report('H', clean, target);
        return 0;
    }
    /* The target may have been below what was just removed. */
    return linkat(parent, base, writer->parent.fd, name, 0) < 0 ? tsc_fail(writer->err, errno, "linkat", "%s", target)
                                                               : 0;
}

static int write_whiteout(struct layer_writer *writer, const char *hidden)
{
    int parent = writer->parent.fd;
    struct stat status;
    TSC_AUTO_FD fd = -1;

    if (writer->whiteouts == WHITEOUTS_NAMES) {
        char name[TAR_PATH_MAX + 5];

        snprintf(name, sizeof(name), ".wh.%s", hidden);
        fd = openat(parent, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 ? tsc_fail(writer->err, errno, "openat", "%s", name) : 0;
    }
    if (mknodat(parent, hidden, S_IFCHR, makedev(0, 0)) == 0)
        return 0;
    if (errno != EEXIST || fstatat(parent, hidden, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return tsc_fail(writer->err, errno, "mknodat", "%s", hidden);
    if (!S_ISDIR(status.st_mode))
        return 0;
    fd = openat(parent, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return tsc_fail(writer->err, errno, "openat", "%s", hidden);
    return layer_mark_opaque(fd, writer->whiteouts, writer->parent.opaque, writer->err);
}

/* As docker cp has it: neither a directory by something else, nor something else by a directory. */
static int check_kind(struct layer_writer *writer, const char *name, const char *clean, const struct tar_entry *entry)
{
    struct stat status;

    if (fstatat(writer->parent.fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : tsc_fail(writer->err, errno, "fstatat", "%s", clean);
    if (S_ISDIR(status.st_mode) == (entry->type == '5'))
        return 0;
    return tsc_fail(writer->err, S_ISDIR(status.st_mode) ? EISDIR : ENOTDIR, "overwrite", "%s", clean);
}

static int write_ordinary(struct layer_writer *writer, const char *name, const char *clean,
                          const struct tar_entry *entry)
{
    if (writer->parent.plain && check_kind(writer, name, clean, entry) < 0)
        return -writer->err->errnum;
    switch (entry->type) {
    case '0':
        return write_file(writer, name, entry);
    case '1':
        return write_hard_link(writer, name, clean, entry);
    case '2':
        return write_link(writer, name, entry);
    case '3':
    case '4':
    case '6':
        return write_node(writer, name, entry);
    case '5':
        return write_directory(writer, name, entry);
    default:
        return tar_bad(writer->err, "entries of type %u are not known", (unsigned)(unsigned char)entry->type);
    }
}

int layer_write_entry(struct layer_writer *writer, const struct tar_entry *entry)
{
    char clean[TAR_PATH_MAX + 1], buffer[TAR_PATH_MAX + 1];
    const char *directory, *name, *hidden = NULL;
    enum layer_name kind;
    int result;

    writer->entries++;
    if (entry->type == 'V') {
        layer_warn(entry->name, "a volume label is no file");
        return 0;
    }
    if ((result = clean_name(writer, entry->name, clean, &kind, &hidden)) < 0)
        return result;
    if (kind == NAME_ROOT)
        return writer->parent.plain ? 0 : write_root(writer, entry);
    if (kind == NAME_IGNORED) {
        layer_warn(entry->name, "metadata of AUFS");
        return 0;
    }
    layer_split(clean, buffer, &directory, &name);
    if ((result = layer_enter(&writer->parent, directory)) < 0)
        return result;
    if (kind == NAME_WHITEOUT)
        return write_whiteout(writer, hidden);
    if (kind == NAME_ORDINARY)
        return write_ordinary(writer, name, clean, entry);
    if (directory[0] == 0)
        layer_report('O', NULL, NULL);
    return layer_mark_opaque(writer->parent.fd, writer->whiteouts, writer->parent.opaque, writer->err);
}
