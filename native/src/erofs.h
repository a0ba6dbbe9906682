/*
 * Layers as EROFS: the content of a layer's files goes into one file, one after the other; all the rest is an index of them, in
 * the on-disk format of that file system, which the kernel mounts. Nothing is unpacked.
 *
 * See kernel Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h, which describe the format.
 */
#ifndef TSC_EROFS_H
#define TSC_EROFS_H

#include "layer.h"

#define EROFS_BLOCK_BITS 9u /* files begin where a block does: small ones are many */
#define EROFS_BLOCK (1u << EROFS_BLOCK_BITS)

struct erofs_xattr {
    const char *key; /* owned */
    void *value;     /* owned */
    size_t size;
    struct erofs_xattr *next;
};

/* What a name leads to. */
struct erofs_inode {
    uint32_t mode; /* with the type */
    uint32_t uid, gid, links;
    uint32_t major, minor;
    uint64_t size;
    struct timespec mtime;
    char *target;         /* of a link; owned */
    uint64_t first_block; /* of a file's content */
    struct erofs_xattr *xattrs;
    /* Filled when it is written. */
    uint64_t offset;
    uint32_t data_block;
    uint32_t number;
    bool placed, written;
};

/* A name in a directory. */
struct erofs_node {
    char *name; /* owned */
    struct erofs_node *parent;
    struct erofs_inode *inode;
    struct erofs_node **children; /* of a directory, in the order of their names */
    size_t count, capacity;
    bool implied; /* no entry has described it so far */
};

/* erofs-tree.c */
struct erofs_tree {
    struct erofs_node *root;
    size_t inodes;
    struct tsc_err *err;
};
/* A layer that an index cannot be made of: it takes something from the layers below, or is written through links. */
#define EROFS_UNFIT "erofs"
int erofs_tree_open(struct erofs_tree *tree, struct tsc_err *err);
struct erofs_inode *erofs_new_inode(struct erofs_tree *tree, uint32_t mode, struct tsc_err *err);
/* The directory at a clean path, made if missing; NULL: with the reason recorded. */
struct erofs_node *erofs_directory(struct erofs_tree *tree, const char *path);
struct erofs_node *erofs_find(const struct erofs_node *directory, const char *name);
/* Adds a name, or gives one that is there another inode and takes away what is below it. */
struct erofs_node *erofs_put(struct erofs_tree *tree, struct erofs_node *directory, const char *name,
                             struct erofs_inode *inode);
int erofs_add_xattr(struct erofs_inode *inode, const char *key, const void *value, size_t size, struct tsc_err *err);
void erofs_clear_xattrs(struct erofs_inode *inode);

/* erofs-write.c: the index of a tree whose files have `data_blocks` blocks together. */
int erofs_write(struct erofs_tree *tree, uint64_t data_blocks, int fd, struct tsc_err *err);

/* erofs-mount.c: a mount that is nowhere, of an index beside its data; an fd, or -errno. */
int erofs_mount(const char *index, struct tsc_err *err);

#endif
