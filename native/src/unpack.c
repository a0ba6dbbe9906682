/*
 * unpack [--names] [--opaque XATTR] [--sync] DIRECTORY: reads a layer archive (a plain tar) on descriptor 0, writes it
 * into DIRECTORY, reports on descriptor 3.
 */
#include "layer.h"

#include <string.h>

struct options {
    const char *directory, *opaque;
    enum layer_whiteouts whiteouts;
    bool sync;
};

static bool parse_options(int argc, char **argv, struct options *out)
{
    *out = (struct options){ .opaque = "trusted.overlay.opaque" };
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--names") == 0)
            out->whiteouts = WHITEOUTS_NAMES;
        else if (strcmp(argv[i], "--sync") == 0)
            out->sync = true;
        else if (strcmp(argv[i], "--opaque") == 0 && i + 1 < argc)
            out->opaque = argv[++i];
        else if (out->directory == NULL)
            out->directory = argv[i];
        else
            return false;
    }
    return out->directory != NULL;
}

static int write_all(struct layer_writer *writer)
{
    struct tar_entry entry;
    int result;

    while ((result = tar_next(writer->archive, &entry)) > 0)
        if ((result = layer_write_entry(writer, &entry)) < 0)
            return result;
    if (result == 0)
        result = layer_leave(&writer->parent);
    return result < 0 ? result : tar_drain(writer->archive);
}

static int unpack(const struct options *options, struct tar_reader *archive, struct tsc_err *err)
{
    static struct layer_writer writer;
    TSC_AUTO_FD root = layer_open_directory(options->directory, err);
    int result;

    if (root < 0)
        return root;
    writer = (struct layer_writer){
        .parent = { .root = root, .fd = -1, .opaque = options->opaque, .err = err },
        .archive = archive,
        .whiteouts = options->whiteouts,
        .err = err,
    };
    if ((result = tar_open(archive, 0, err)) < 0 || (result = layer_confine(root, CONFINE_TRUSTED, err)) < 0 ||
        (result = write_all(&writer)) < 0)
        return result;
    if (options->sync && syncfs(root) < 0)
        return tsc_fail(err, errno, "syncfs", "layer");
    layer_implicit_report();
    layer_report_number('S', writer.entries, writer.bytes);
    return 0;
}

int tsc_role_unpack(int argc, char **argv)
{
    static struct tar_reader archive;
    struct tsc_err err = { 0 };
    struct options options;
    int result;

    if (!parse_options(argc, argv, &options) || layer_start() < 0)
        return 64;
    result = unpack(&options, &archive, &err);
    result = layer_report_end(result, &err, archive.name);
    tar_close(&archive);
    return result;
}
