/* changes.c: what a container has changed in the root that its image has given it. */
#ifndef TSC_CHANGES_H
#define TSC_CHANGES_H

#include "pack.h"

struct changes {
    struct pack pack;
    bool overlay; /* the tree is an overlay's upper directory, else the whole */
    bool lists;   /* records 'a', 'c', 'd' instead of an archive */
    char **except; /* paths without a leading slash, which are not looked at */
    int except_count;
};

int changes_walk(struct changes *changes, int now, int before);

#endif
