/* identity.c: a user of a container, with its groups. */
#ifndef TSC_ACCOUNT_H
#define TSC_ACCOUNT_H

#include "launch.h"

#define TSC_MAX_GROUPS 1024

struct tsc_account {
    uid_t uid;
    gid_t gid;
    char name[256];
    gid_t groups[TSC_MAX_GROUPS];
    size_t group_count;
};

/*
 * `user` is "name", "uid", "name:group", "uid:gid", ":group" or "" for root; names, and those of `groups` (up to a NULL), are
 * looked up in the image, whose root must be held.
 */
int tsc_find_account(struct tsc_launch *launch, const char *user, char *const *groups, struct tsc_account *account,
                     struct tsc_err *err);

#endif
