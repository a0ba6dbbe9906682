/* view.c: a container's root, seen from outside. */
#ifndef TSC_VIEW_H
#define TSC_VIEW_H

#include "base.h"

/* The end of a role's command line: [--bind SOURCE TARGET]... JAIL KIND ARGUMENT... */
struct view_arguments {
    char **binds; /* three words each */
    int bind_count;
    const char *jail; /* an empty directory of the host */
    const char *kind;
    char **paths;
    int count;
};
bool view_parse(int argc, char **argv, struct view_arguments *out);
/* Opens it and confines the process: from then on there is only what is below this descriptor. An fd, or -errno. */
int view_open(const struct view_arguments *arguments, struct tsc_err *err);

#endif
