/*
 * index-layer [--opaque XATTR] [--sync] DIRECTORY: reads a layer archive (a plain tar) on descriptor 0, keeps the content of its
 * files in DIRECTORY/data and writes DIRECTORY/index.erofs, which shows the layer as an overlay wants it (erofs.h). Names mean
 * what they mean to `unpack`. What an index cannot be made of fails with the operation "erofs".
 */
#include "erofs.h"

#include <fcntl.h>
#include <string.h>

struct indexer {
    struct erofs_tree tree;
    struct tar_reader archive;
    int data;
    uint64_t blocks; /* of content so far */
    uint64_t entries, bytes;
    const char *opaque;
    bool root_described;
    struct tsc_err *err;
};

static void take_attributes(struct erofs_inode *inode, const struct tar_entry *entry)
{
    inode->mode = (inode->mode & S_IFMT) | (entry->mode & 07777);
    inode->uid = entry->uid;
    inode->gid = entry->gid;
    inode->mtime = entry->mtime;
}

static int take_xattrs(struct indexer *self, struct erofs_inode *inode)
{
    size_t position = 0, size;
    const char *key;
    const void *value;

    while (tar_next_xattr(&self->archive, &position, &key, &value, &size) > 0) {
        if (!layer_may_set_xattr(key))
            layer_warn(key, "an image may not set this extended attribute");
        else if (size > UINT16_MAX)
            return tsc_fail(self->err, EOPNOTSUPP, EROFS_UNFIT, "the attribute %s is too large", key);
        else if (erofs_add_xattr(inode, key, value, size, self->err) < 0)
            return -self->err->errnum;
    }
    return 0;
}

static int mark_opaque(struct indexer *self, struct erofs_inode *inode)
{
    for (const struct erofs_xattr *each = inode->xattrs; each != NULL; each = each->next)
        if (strcmp(each->key, self->opaque) == 0)
            return 0;
    return erofs_add_xattr(inode, self->opaque, "y", 1, self->err);
}

static bool is_whiteout(const struct erofs_inode *inode)
{
    return S_ISCHR(inode->mode) && inode->major == 0 && inode->minor == 0;
}

static int take_content(struct indexer *self, struct erofs_inode *inode, const struct tar_entry *entry)
{
    uint64_t start = self->blocks * EROFS_BLOCK;
    uint64_t offset, end = 0;
    const void *piece;
    size_t size;
    int result;

    inode->size = entry->size;
    inode->first_block = self->blocks;
    if (lseek(self->data, (off_t)start, SEEK_SET) < 0)
        return tsc_fail(self->err, errno, "lseek", "content");
    while ((result = tar_read(&self->archive, &piece, &size, &offset)) > 0) {
        if (offset != end && lseek(self->data, (off_t)(start + offset), SEEK_SET) < 0)
            return tsc_fail(self->err, errno, "lseek", "content");
        if ((result = tsc_write_all(self->data, piece, size)) < 0)
            return tsc_fail(self->err, -result, "write", "content");
        end = offset + size;
        self->bytes += size;
    }
    self->blocks += (entry->size + EROFS_BLOCK - 1) / EROFS_BLOCK;
    return result;
}

/* A name of something new, which is no directory. */
static int add(struct indexer *self, struct erofs_node *directory, const char *name, struct erofs_inode *inode,
               const struct tar_entry *entry)
{
    if (inode == NULL)
        return -self->err->errnum;
    take_attributes(inode, entry);
    if (take_xattrs(self, inode) < 0)
        return -self->err->errnum;
    return erofs_put(&self->tree, directory, name, inode) == NULL ? -self->err->errnum : 0;
}

static int add_link(struct indexer *self, struct erofs_node *directory, const char *name, const struct tar_entry *entry)
{
    struct erofs_inode *inode = erofs_new_inode(&self->tree, S_IFLNK | 0777, self->err);
    int result;

    if (entry->link[0] == '\0')
        return tar_bad(self->err, "a symbolic link without a target");
    if (inode == NULL)
        return -self->err->errnum;
    inode->target = strdup(entry->link);
    inode->size = strlen(entry->link);
    if (inode->target == NULL)
        return tsc_fail(self->err, ENOMEM, "malloc", "%s", name);
    result = add(self, directory, name, inode, entry);
    inode->mode = S_IFLNK | 0777;
    return result;
}

static int add_device(struct indexer *self, struct erofs_node *directory, const char *name,
                      const struct tar_entry *entry)
{
    uint32_t type = entry->type == '3' ? S_IFCHR : entry->type == '4' ? S_IFBLK : S_IFIFO;
    struct erofs_inode *inode;

    if (entry->type == '3' && entry->major == 0 && entry->minor == 0)
        return tar_bad(self->err, "character device 0:0 is how overlayfs says that a file is gone");
    inode = erofs_new_inode(&self->tree, type, self->err);
    if (inode == NULL)
        return -self->err->errnum;
    inode->major = entry->type == '6' ? 0 : entry->major;
    inode->minor = entry->type == '6' ? 0 : entry->minor;
    return add(self, directory, name, inode, entry);
}

static int add_hard_link(struct indexer *self, struct erofs_node *directory, const char *name,
                         const struct tar_entry *entry)
{
    char clean[TAR_PATH_MAX + 1], buffer[TAR_PATH_MAX + 1];
    const char *parent, *base, *hidden;
    struct erofs_node *target = self->tree.root;
    enum layer_name kind;
    int result = layer_clean_name(entry->link, clean, self->err);

    if (result < 0 || (result = layer_classify(clean, &kind, &hidden, self->err)) < 0)
        return result;
    if (kind != NAME_ORDINARY)
        return tar_bad(self->err, "a hard link to '%.100s'", entry->link);
    layer_split(clean, buffer, &parent, &base);
    for (const char *at = parent; target != NULL && *at != '\0'; at += strcspn(at, "/") + (at[strcspn(at, "/")] == '/')) {
        char part[TAR_PATH_MAX + 1];
        size_t size = strcspn(at, "/");

        memcpy(part, at, size);
        part[size] = '\0';
        target = erofs_find(target, part);
    }
    target = target == NULL ? NULL : erofs_find(target, base);
    if (target == NULL || is_whiteout(target->inode))
        return tsc_fail(self->err, EOPNOTSUPP, EROFS_UNFIT, "a hard link to '%.150s' below", clean);
    if (S_ISDIR(target->inode->mode))
        return tar_bad(self->err, "a hard link to a directory");
    return erofs_put(&self->tree, directory, name, target->inode) == NULL ? -self->err->errnum : 0;
}

static int add_directory(struct indexer *self, struct erofs_node *directory, const char *name,
                         const struct tar_entry *entry)
{
    struct erofs_node *node = erofs_find(directory, name);
    bool replaced = node != NULL && !S_ISDIR(node->inode->mode);

    if (node == NULL || replaced) {
        struct erofs_inode *inode = erofs_new_inode(&self->tree, S_IFDIR, self->err);

        node = inode == NULL ? NULL : erofs_put(&self->tree, directory, name, inode);
        if (node == NULL)
            return -self->err->errnum;
        /* It takes the place of something else of this layer: nothing below shows through. */
        if (replaced && mark_opaque(self, inode) < 0)
            return -self->err->errnum;
    } else {
        bool opaque = false;

        for (const struct erofs_xattr *each = node->inode->xattrs; each != NULL; each = each->next)
            opaque = opaque || strcmp(each->key, self->opaque) == 0;
        erofs_clear_xattrs(node->inode);
        if (opaque && mark_opaque(self, node->inode) < 0)
            return -self->err->errnum;
    }
    node->implied = false;
    take_attributes(node->inode, entry);
    return take_xattrs(self, node->inode);
}

static int add_whiteout(struct indexer *self, struct erofs_node *directory, const char *hidden)
{
    struct erofs_node *node = erofs_find(directory, hidden);
    struct erofs_inode *inode;

    if (node != NULL) /* it hides what is below, not what this layer has */
        return S_ISDIR(node->inode->mode) ? mark_opaque(self, node->inode) : 0;
    inode = erofs_new_inode(&self->tree, S_IFCHR, self->err);
    return inode == NULL || erofs_put(&self->tree, directory, hidden, inode) == NULL ? -self->err->errnum : 0;
}

static int add_root(struct indexer *self, const struct tar_entry *entry)
{
    if (entry->type != '5')
        return tar_bad(self->err, "the root is no directory");
    self->root_described = true;
    erofs_clear_xattrs(self->tree.root->inode);
    take_attributes(self->tree.root->inode, entry);
    layer_report_root(entry);
    return take_xattrs(self, self->tree.root->inode);
}

static int add_ordinary(struct indexer *self, struct erofs_node *directory, const char *name,
                        const struct tar_entry *entry)
{
    struct erofs_inode *inode;

    switch (entry->type) {
    case '0':
        inode = erofs_new_inode(&self->tree, S_IFREG, self->err);
        if (inode == NULL || add(self, directory, name, inode, entry) < 0)
            return -self->err->errnum;
        return take_content(self, inode, entry);
    case '1':
        return add_hard_link(self, directory, name, entry);
    case '2':
        return add_link(self, directory, name, entry);
    case '3':
    case '4':
    case '6':
        return add_device(self, directory, name, entry);
    case '5':
        return add_directory(self, directory, name, entry);
    default:
        return tar_bad(self->err, "entries of type %u are not known", (unsigned)(unsigned char)entry->type);
    }
}

/* A whiteout that comes before what is below it: the new directory must not show what it hid. */
static int replace_whiteouts(struct indexer *self, const char *path)
{
    struct erofs_node *node = self->tree.root;

    while (node != NULL && *path != '\0') {
        size_t size = strcspn(path, "/");
        char name[TAR_PATH_MAX + 1];
        struct erofs_node *next;

        memcpy(name, path, size);
        name[size] = '\0';
        next = erofs_find(node, name);
        if (next != NULL && is_whiteout(next->inode)) {
            struct erofs_inode *inode = erofs_new_inode(&self->tree, S_IFDIR | 0755, self->err);

            next = inode == NULL ? NULL : erofs_put(&self->tree, node, name, inode);
            if (next == NULL || mark_opaque(self, inode) < 0)
                return -self->err->errnum;
            next->implied = true;
        }
        node = next;
        path += size + (path[size] == '/');
    }
    return 0;
}

static int take_entry(struct indexer *self, const struct tar_entry *entry)
{
    char clean[TAR_PATH_MAX + 1], buffer[TAR_PATH_MAX + 1];
    const char *path, *name, *hidden = NULL;
    struct erofs_node *directory;
    enum layer_name kind;
    int result;

    self->entries++;
    if (entry->type == 'V') {
        layer_warn(entry->name, "a volume label is no file");
        return 0;
    }
    if ((result = layer_clean_name(entry->name, clean, self->err)) < 0 ||
        (result = layer_classify(clean, &kind, &hidden, self->err)) < 0)
        return result;
    if (kind == NAME_ROOT)
        return add_root(self, entry);
    if (kind == NAME_IGNORED) {
        layer_warn(entry->name, "metadata of AUFS");
        return 0;
    }
    layer_split(clean, buffer, &path, &name);
    if ((result = replace_whiteouts(self, path)) < 0)
        return result;
    directory = erofs_directory(&self->tree, path);
    if (directory == NULL)
        return -self->err->errnum;
    if (kind == NAME_WHITEOUT)
        return add_whiteout(self, directory, hidden);
    if (kind == NAME_ORDINARY)
        return add_ordinary(self, directory, name, entry);
    if (directory == self->tree.root)
        layer_report('O', NULL, NULL);
    return mark_opaque(self, directory->inode);
}

/* The name of a directory that no entry has described: its attributes are those below. */
static const struct erofs_node *find_implied(const struct erofs_node *node)
{
    const struct erofs_node *found = node->implied ? node : NULL;

    for (size_t i = 0; found == NULL && i < node->count; i++)
        found = find_implied(node->children[i]);
    return found;
}

static int index_archive(struct indexer *self, int index)
{
    const struct erofs_node *implied;
    struct tar_entry entry;
    int result;

    while ((result = tar_next(&self->archive, &entry)) > 0)
        if ((result = take_entry(self, &entry)) < 0)
            return result;
    if (result < 0 || (result = tar_drain(&self->archive)) < 0)
        return result;
    implied = find_implied(self->tree.root);
    if (implied != NULL)
        return tsc_fail(self->err, EOPNOTSUPP, EROFS_UNFIT, "the directory %s is described below", implied->name);
    if (ftruncate(self->data, (off_t)(self->blocks * EROFS_BLOCK)) < 0)
        return tsc_fail(self->err, errno, "ftruncate", "data");
    return erofs_write(&self->tree, self->blocks, index, self->err);
}

static int make(const char *path, const char *opaque, bool sync, struct indexer *self)
{
    TSC_AUTO_FD directory = layer_open_directory(path, self->err);
    TSC_AUTO_FD index = -1;
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int result;

    if (directory < 0)
        return directory;
    self->opaque = opaque;
    self->data = openat(directory, "data", flags, 0600);
    index = openat(directory, "index.erofs", flags, 0600);
    if (self->data < 0 || index < 0)
        return tsc_fail(self->err, errno, "openat", "%s", path);
    if ((result = tar_open(&self->archive, 0, self->err)) < 0 ||
        (result = layer_confine(directory, CONFINE_DEFAULT, self->err)) < 0 ||
        (result = erofs_tree_open(&self->tree, self->err)) < 0 || (result = index_archive(self, index)) < 0)
        return result;
    if (sync && syncfs(directory) < 0)
        return tsc_fail(self->err, errno, "syncfs", "layer");
    layer_report_number('S', self->entries, self->bytes);
    return 0;
}

int tsc_role_index_layer(int argc, char **argv)
{
    static struct indexer self;
    struct tsc_err err = { 0 };
    const char *directory = NULL;
    const char *opaque = "trusted.overlay.opaque";
    bool sync = false;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--sync") == 0)
            sync = true;
        else if (strcmp(argv[i], "--opaque") == 0 && i + 1 < argc)
            opaque = argv[++i];
        else
            directory = argv[i];
    }
    if (directory == NULL || layer_start() < 0)
        return 64;
    self.err = &err;
    return layer_report_end(make(directory, opaque, sync, &self), &err, self.archive.name);
}
