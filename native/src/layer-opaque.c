#include "layer.h"

#include <fcntl.h>
#include <sys/xattr.h>

int layer_mark_opaque(int directory, enum layer_whiteouts whiteouts, const char *xattr, struct tsc_err *err)
{
    TSC_AUTO_FD fd = -1;

    if (whiteouts == WHITEOUTS_OVERLAY)
        return fsetxattr(directory, xattr, "y", 1, 0) < 0 ? tsc_fail(err, errno, "fsetxattr", "%s", xattr) : 0;
    fd = openat(directory, ".wh..wh..opq", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? tsc_fail(err, errno, "openat", ".wh..wh..opq") : 0;
}
