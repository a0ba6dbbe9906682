/* The tree of a layer in memory: names, and what they lead to. */
#include "erofs.h"

#include <string.h>

enum { inodes_max = 4 * 1024 * 1024 };

struct erofs_inode *erofs_new_inode(struct erofs_tree *tree, uint32_t mode, struct tsc_err *err)
{
    struct erofs_inode *inode = tree->inodes >= inodes_max ? NULL : calloc(1, sizeof(*inode));

    if (inode == NULL) {
        tsc_fail(err, ENOMEM, "malloc", "%zu entries", tree->inodes);
        return NULL;
    }
    tree->inodes++;
    inode->mode = mode;
    return inode;
}

static struct erofs_node *new_node(const char *name, struct erofs_node *parent, struct erofs_inode *inode,
                                   struct tsc_err *err)
{
    struct erofs_node *node = calloc(1, sizeof(*node));

    if (node != NULL)
        node->name = strdup(name);
    if (node == NULL || node->name == NULL) {
        tsc_fail(err, ENOMEM, "malloc", "%s", name);
        free(node);
        return NULL;
    }
    node->parent = parent;
    node->inode = inode;
    inode->links++;
    return node;
}

int erofs_tree_open(struct erofs_tree *tree, struct tsc_err *err)
{
    struct erofs_inode *inode;

    *tree = (struct erofs_tree){ .err = err };
    inode = erofs_new_inode(tree, S_IFDIR | 0755, err);
    tree->root = inode == NULL ? NULL : new_node("", NULL, inode, err);
    return tree->root == NULL ? -ENOMEM : 0;
}

/* Where `name` is, or would be. */
static size_t position(const struct erofs_node *directory, const char *name, bool *found)
{
    size_t low = 0, high = directory->count;

    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(directory->children[middle]->name, name);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct erofs_node *erofs_find(const struct erofs_node *directory, const char *name)
{
    bool found;
    size_t at = position(directory, name, &found);

    return found ? directory->children[at] : NULL;
}

static void drop_children(struct erofs_node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        drop_children(node->children[i]);
        node->children[i]->inode->links--;
        free(node->children[i]->name);
        free(node->children[i]);
    }
    free(node->children);
    node->children = NULL;
    node->count = node->capacity = 0;
}

struct erofs_node *erofs_put(struct erofs_tree *tree, struct erofs_node *directory, const char *name,
                             struct erofs_inode *inode)
{
    bool found;
    size_t at = position(directory, name, &found);
    struct erofs_node *node;

    if (found) {
        node = directory->children[at];
        if (node->inode == inode)
            return node;
        drop_children(node);
        node->inode->links--;
        node->inode = inode;
        node->implied = false;
        inode->links++;
        return node;
    }
    if (directory->count == directory->capacity) {
        size_t capacity = directory->capacity == 0 ? 8 : directory->capacity * 2;
        void *grown = realloc(directory->children, capacity * sizeof(*directory->children));

        if (grown == NULL) {
            tsc_fail(tree->err, ENOMEM, "malloc", "%s", name);
            return NULL;
        }
        directory->children = grown;
        directory->capacity = capacity;
    }
    node = new_node(name, directory, inode, tree->err);
    if (node == NULL)
        return NULL;
    memmove(directory->children + at + 1, directory->children + at, (directory->count - at) * sizeof(node));
    directory->children[at] = node;
    directory->count++;
    return node;
}

struct erofs_node *erofs_directory(struct erofs_tree *tree, const char *path)
{
    struct erofs_node *node = tree->root;

    while (node != NULL && *path != '\0') {
        size_t size = strcspn(path, "/");
        char name[TAR_PATH_MAX + 1];
        struct erofs_node *next;

        memcpy(name, path, size);
        name[size] = '\0';
        next = erofs_find(node, name);
        if (next == NULL) {
            struct erofs_inode *inode = erofs_new_inode(tree, S_IFDIR | 0755, tree->err);

            next = inode == NULL ? NULL : erofs_put(tree, node, name, inode);
            if (next != NULL)
                next->implied = true;
        } else if (!S_ISDIR(next->inode->mode)) {
            tsc_fail(tree->err, EOPNOTSUPP, EROFS_UNFIT, "%s is no directory", name);
            return NULL;
        }
        node = next;
        path += size + (path[size] == '/');
    }
    return node;
}

int erofs_add_xattr(struct erofs_inode *inode, const char *key, const void *value, size_t size, struct tsc_err *err)
{
    struct erofs_xattr *xattr = calloc(1, sizeof(*xattr));

    if (xattr != NULL) {
        xattr->key = strdup(key);
        xattr->value = malloc(size + 1);
    }
    if (xattr == NULL || xattr->key == NULL || xattr->value == NULL)
        return tsc_fail(err, ENOMEM, "malloc", "%s", key);
    memcpy(xattr->value, value, size);
    xattr->size = size;
    xattr->next = inode->xattrs;
    inode->xattrs = xattr;
    return 0;
}

void erofs_clear_xattrs(struct erofs_inode *inode)
{
    while (inode->xattrs != NULL) {
        struct erofs_xattr *next = inode->xattrs->next;

        free((void *)(uintptr_t)inode->xattrs->key);
        free(inode->xattrs->value);
        free(inode->xattrs);
        inode->xattrs = next;
    }
}
