#include "layer.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

/* Both are directories, or what was there gives way. */
static int move_onto(int from, int to, const char *name, struct tsc_err *err)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    TSC_AUTO_FD below_from = openat(from, name, flags);
    TSC_AUTO_FD below_to = openat(to, name, flags);
    struct stat status;
    int result;

    if (below_from < 0 || below_to < 0) {
        if ((result = layer_remove(to, name, err)) < 0)
            return result;
        return renameat(from, name, to, name) < 0 ? tsc_fail(err, errno, "renameat", "%s", name) : 0;
    }
    if (fstat(below_from, &status) < 0)
        return tsc_fail(err, errno, "fstat", "%s", name);
    if ((result = layer_move_children(below_from, below_to, err)) < 0 ||
        (result = layer_copy_directory_attributes(below_from, &status, below_to, err)) < 0)
        return result;
    return unlinkat(from, name, AT_REMOVEDIR) < 0 ? tsc_fail(err, errno, "unlinkat", "%s", name) : 0;
}

int layer_move_children(int from, int to, struct tsc_err *err)
{
    int duplicate = fcntl(from, F_DUPFD_CLOEXEC, 0), result = 0;
    DIR *stream = duplicate < 0 ? NULL : fdopendir(duplicate);
    struct dirent *entry;

    if (stream == NULL) {
        result = tsc_fail(err, errno, "fdopendir", "directory");
        tsc_close_p(&duplicate);
        return result;
    }
    for (errno = 0; result == 0 && (entry = readdir(stream)) != NULL; errno = 0) {
        const char *name = entry->d_name;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (syscall(SYS_renameat2, from, name, to, name, 1u /* RENAME_NOREPLACE */) == 0)
            continue;
        result = errno == EEXIST ? move_onto(from, to, name, err) : tsc_fail(err, errno, "renameat2", "%s", name);
    }
    if (result == 0 && errno != 0)
        result = tsc_fail(err, errno, "readdir", "directory");
    closedir(stream);
    return result;
}
