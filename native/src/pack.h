/* pack.c: writes what is in a tree to an archive. */
#ifndef TSC_PACK_H
#define TSC_PACK_H

#include "layer.h"
#include "tar-write.h"

struct pack {
    struct tar_writer writer;
    void *links;                /* first names of files that have several */
    bool owned;                 /* everything belongs to these instead */
    uint32_t uid, gid;
    char name[TAR_PATH_MAX + 2]; /* in the archive, without a final slash */
    struct tsc_err *err;
};

/* The thing `base` in `parent`, under the name in `pack->name`; of a directory nothing but itself. */
int pack_one(struct pack *pack, int parent, const char *base, const struct stat *status);
/* A directory that is open. */
int pack_directory(struct pack *pack, int directory, const struct stat *status);
/* Everything in a directory, but for kernel file systems that are mounted there. */
int pack_children(struct pack *pack, int directory, dev_t device);
/* An empty file with this name: a whiteout. */
int pack_marker(struct pack *pack, const char *name);
/* Adds a component to the name, until pack_leave() is called with what this has returned; or -errno. */
int pack_enter(struct pack *pack, const char *component);
void pack_leave(struct pack *pack, int length);

#endif
