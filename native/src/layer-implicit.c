/* The directories that were created without an entry of their own, by inode: an entry may still come. */
#include "layer.h"

#include <search.h>
#include <string.h>

/* More is no honest layer: each one is a directory that its archive forgot. */
enum { implicit_max = 1u << 17, implicit_bytes_max = 16u << 20 };

struct implicit {
    ino_t inode;
    char path[];
};

static void *tree;
static size_t count, bytes;

static int by_inode(const void *left, const void *right)
{
    const struct implicit *a = left, *b = right;

    return a->inode < b->inode ? -1 : a->inode > b->inode ? 1 : 0;
}

int layer_implicit_add(const struct stat *status, const char *path, struct tsc_err *err)
{
    size_t size = strlen(path) + 1;
    struct implicit *entry;

    layer_implicit_forget(status);
    if (count >= implicit_max || bytes + size > implicit_bytes_max)
        return tar_bad(err, "too many directories without an entry");
    entry = malloc(sizeof(*entry) + size);
    if (entry == NULL)
        return tsc_fail(err, ENOMEM, "malloc", "%s", path);
    entry->inode = status->st_ino;
    memcpy(entry->path, path, size);
    if (tsearch(entry, &tree, by_inode) == NULL) {
        free(entry);
        return tsc_fail(err, ENOMEM, "malloc", "%s", path);
    }
    count++;
    bytes += size;
    return 0;
}

void layer_implicit_forget(const struct stat *status)
{
    struct implicit key = { .inode = status->st_ino };
    struct implicit **found = tfind(&key, &tree, by_inode);

    if (found != NULL) {
        struct implicit *entry = *found;

        tdelete(&key, &tree, by_inode);
        bytes -= strlen(entry->path) + 1;
        count--;
        free(entry);
    }
}

static void report(const void *node, VISIT visit, int depth)
{
    (void)depth;
    if (visit == postorder || visit == leaf)
        layer_report('D', (*(struct implicit *const *)node)->path, NULL);
}

void layer_implicit_report(void)
{
    twalk(tree, report);
}
