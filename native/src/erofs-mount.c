#include "erofs.h"

#include "mount-api.h"

#include <stdio.h>
#include <string.h>

/* Paths go by their descriptors: a text of fsconfig(2) ends at 255 bytes. */
static int set_file(int fs, const char *key, const char *path, struct tsc_err *err)
{
    char link[32];
    TSC_AUTO_FD fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return tsc_fsconfig(fs, FSCONFIG_SET_STRING, key, link) < 0 ? tsc_fail(err, errno, "fsconfig", "erofs %s=%s", key, path)
                                                                 : tsc_steal_fd(&fd);
}

static int make_mount(int fs, const char *index, struct tsc_err *err)
{
    int mount;

    if (tsc_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
        return tsc_fail(err, errno, "fsconfig", "erofs of %s", index);
    mount = tsc_fsmount(fs, MOUNT_ATTR_RDONLY);
    return mount < 0 ? tsc_fail(err, errno, "fsmount", "erofs of %s", index) : mount;
}

int erofs_mount(const char *index, struct tsc_err *err)
{
    const char *slash = strrchr(index, '/');
    char data[4096];
    struct stat status;
    TSC_AUTO_FD fs = tsc_fsopen("erofs");
    TSC_AUTO_FD source = -1;
    TSC_AUTO_FD device = -1;

    if (fs < 0)
        return tsc_fail(err, errno, "fsopen", "erofs");
    if (slash == NULL || snprintf(data, sizeof(data), "%.*s/data", (int)(slash - index), index) >= (int)sizeof(data))
        return tsc_fail(err, ENAMETOOLONG, "open", "%s", index);
    source = set_file(fs, "source", index, err);
    if (source < 0)
        return source;
    if (stat(data, &status) < 0)
        return tsc_fail(err, errno, "stat", "%s", data);
    if (status.st_size > 0) { /* else there is no device in the index */
        device = set_file(fs, "device", data, err);
        if (device < 0)
            return device;
    }
    return make_mount(fs, index, err);
}
