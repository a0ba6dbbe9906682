/*
 * list-changes and pack-changes: what a container has changed, as records 'a', 'c' and 'd' on descriptor 3 or as the archive of
 * a layer on descriptor 1.
 *
 *   ROLE overlay|tree NOW COUNT EXCEPT... JAIL layers BELOW...
 *
 * NOW is an overlay's upper directory or the whole root, BELOW are the layers of the image, or their tree.
 */
#include "changes.h"
#include "view.h"

#include <string.h>

static int look(char **argv, int except_count, bool lists, const struct view_arguments *below, struct tsc_err *err)
{
    static struct changes changes;
    TSC_AUTO_FD now = layer_open_directory(argv[1], err); /* before the view confines us */
    TSC_AUTO_FD before = now < 0 ? -1 : view_open(below, err);
    int result;

    if (now < 0 || before < 0)
        return -err->errnum;
    changes = (struct changes){
        .pack = { .err = err },
        .overlay = strcmp(argv[0], "overlay") == 0,
        .lists = lists,
        .except = argv + 3,
        .except_count = except_count,
    };
    if (!lists && (result = tar_write_open(&changes.pack.writer, STDOUT_FILENO, err)) < 0)
        return result;
    if ((result = changes_walk(&changes, now, before)) < 0 ||
        (!lists && (result = tar_write_end(&changes.pack.writer)) < 0))
        return result;
    layer_report_number('S', 0, 0);
    return 0;
}

static int role(int argc, char **argv, bool lists)
{
    struct tsc_err err = { 0 };
    struct view_arguments below;
    int except_count = argc < 3 ? -1 : atoi(argv[2]);

    if (except_count < 0 || except_count > argc - 3 ||
        !view_parse(argc - 3 - except_count, argv + 3 + except_count, &below) || layer_start() < 0)
        return 64;
    return layer_report_end(look(argv, except_count, lists, &below, &err), &err, "");
}

int tsc_role_list_changes(int argc, char **argv)
{
    return role(argc, argv, true);
}

int tsc_role_pack_changes(int argc, char **argv)
{
    return role(argc, argv, false);
}
