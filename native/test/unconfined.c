/*
 * For emulators of another architecture, which know neither openat2(2) nor new mount calls nor seccomp: linked with
 * -Wl,--wrap=layer_confine,--wrap=tsc_openat_in_root, the layer roles do everything but confine themselves. Only for
 * archives that are trusted.
 */
#include "../src/layer.h"

#include <fcntl.h>

int __wrap_layer_confine(int directory, unsigned flags, struct tsc_err *err);
int __wrap_tsc_openat_in_root(int root_fd, const char *path, int flags, mode_t mode);

int __wrap_layer_confine(int directory, unsigned flags, struct tsc_err *err)
{
    (void)flags;
    return fchdir(directory) < 0 ? tsc_fail(err, errno, "fchdir", "new root") : 0;
}

int __wrap_tsc_openat_in_root(int root_fd, const char *path, int flags, mode_t mode)
{
    int fd;

    while (*path == '/')
        path++;
    fd = openat(root_fd, *path == '\0' ? "." : path, flags | O_CLOEXEC, mode);
    return fd < 0 ? -errno : fd;
}
