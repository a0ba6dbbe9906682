/* tscontainer-shim: one static program, its role chosen by the first argument. */
#include "base.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} roles[] = {
    { "supervise", tsc_role_supervise },
    { "detached", tsc_role_detached },
    { "serve", tsc_role_serve },
    { "unpack", tsc_role_unpack },
    { "copy-tree", tsc_role_copy_tree },
    { "remove-tree", tsc_role_remove_tree },
    { "merge-layer", tsc_role_merge_layer },
    { "fix-layer", tsc_role_fix_layer },
    { "mount-points", tsc_role_mount_points },
    { "index-layer", tsc_role_index_layer },
    { "pack-tree", tsc_role_pack_tree },
    { "stat-path", tsc_role_stat_path },
    { "copy-in", tsc_role_copy_in },
    { "list-changes", tsc_role_list_changes },
    { "pack-changes", tsc_role_pack_changes },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(roles) / sizeof(roles[0]); i++)
        if (strcmp(argv[1], roles[i].name) == 0)
            return roles[i].run(argc - 2, argv + 2);

    fprintf(stderr, "tscontainer-shim is started by the tscontainer library, not by hand\n");
    return 64; /* EX_USAGE */
}
