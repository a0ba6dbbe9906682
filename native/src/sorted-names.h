/* sorted-names.c */
#ifndef TSC_SORTED_NAMES_H
#define TSC_SORTED_NAMES_H

#include "base.h"

struct sorted_names {
    char **list; /* owned, and so is each name */
    size_t count, capacity;
};
/* Without "." and "..". What was read before a failure has to be freed, too. */
int sorted_names(int directory, struct sorted_names *names, struct tsc_err *err);
void sorted_names_free(struct sorted_names *names);
#define AUTO_NAMES __attribute__((cleanup(sorted_names_free))) struct sorted_names

#endif
