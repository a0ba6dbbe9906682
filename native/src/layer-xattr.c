/* Extended attributes. Those of overlayfs are its own: an image that brings them could hide or reveal files. */
#include "layer.h"

#include <string.h>
#include <sys/xattr.h>

enum { value_max = 64 * 1024 }; /* the kernel's own bound, see xattr(7) */

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_overlay_xattr(const char *key)
{
    return starts_with(key, "trusted.overlay.") || starts_with(key, "user.overlay.");
}

bool layer_may_set_xattr(const char *key)
{
    if (is_overlay_xattr(key))
        return false;
    /* Labels of security modules belong to the host that assigns them; capabilities and ACLs belong to the file. */
    return starts_with(key, "user.") || starts_with(key, "trusted.") || strcmp(key, "security.capability") == 0 ||
           strcmp(key, "system.posix_acl_access") == 0 || strcmp(key, "system.posix_acl_default") == 0;
}

/* There are no *at calls for extended attributes before Linux 6.13; a bare name below the working directory is as safe. */
static int enter(struct layer_object object)
{
    return object.fd >= 0 ? 0 : fchdir(object.parent);
}

int layer_set_xattr(struct layer_object object, const char *key, const void *value, size_t size, struct tsc_err *err)
{
    int result = enter(object);

    if (result == 0)
        result = object.fd >= 0 ? fsetxattr(object.fd, key, value, size, 0)
                                : lsetxattr(object.name, key, value, size, 0);
    if (result == 0)
        return 0;
    if (strcmp(key, "security.capability") != 0 && (errno == ENOTSUP || errno == EPERM)) {
        layer_warn(key, "the file system does not take this extended attribute here");
        return 0;
    }
    return tsc_fail(err, errno, "lsetxattr", "%s", key);
}

int layer_list_xattrs(struct layer_object object, struct layer_xattrs *out, struct tsc_err *err)
{
    ssize_t length = enter(object);

    if (length == 0)
        length = object.fd >= 0 ? flistxattr(object.fd, out->keys, sizeof(out->keys))
                                : llistxattr(object.name, out->keys, sizeof(out->keys));
    out->size = length > 0 ? (size_t)length : 0;
    out->position = 0;
    return length < 0 && errno != ENOTSUP ? tsc_fail(err, errno, "llistxattr", "extended attributes") : 0;
}

const char *layer_next_xattr(struct layer_xattrs *xattrs)
{
    const char *key = xattrs->keys + xattrs->position;

    if (xattrs->position >= xattrs->size)
        return NULL;
    xattrs->position += strlen(key) + 1;
    return key;
}

ssize_t layer_get_xattr(struct layer_object object, const char *key, void *value, size_t size)
{
    ssize_t length = enter(object);

    if (length == 0)
        length = object.fd >= 0 ? fgetxattr(object.fd, key, value, size) : lgetxattr(object.name, key, value, size);
    return length < 0 ? -errno : length;
}

int layer_clear_xattrs(int fd, struct tsc_err *err)
{
    static struct layer_xattrs xattrs;
    int result = layer_list_xattrs((struct layer_object){ .fd = fd }, &xattrs, err);
    const char *key;

    while (result == 0 && (key = layer_next_xattr(&xattrs)) != NULL)
        if (layer_may_set_xattr(key) && fremovexattr(fd, key) < 0 && errno != ENODATA)
            return tsc_fail(err, errno, "fremovexattr", "%s", key);
    return result;
}

int layer_copy_xattrs(struct layer_object from, struct layer_object to, struct tsc_err *err)
{
    static struct layer_xattrs xattrs;
    static char value[value_max];
    int result = layer_list_xattrs(from, &xattrs, err);
    const char *key;

    while (result == 0 && (key = layer_next_xattr(&xattrs)) != NULL) {
        ssize_t length;

        if (!layer_may_set_xattr(key))
            continue;
        length = layer_get_xattr(from, key, value, sizeof(value));
        if (length < 0)
            return tsc_fail(err, (int)-length, "lgetxattr", "%s", key);
        result = layer_set_xattr(to, key, value, (size_t)length, err);
    }
    return result;
}

int layer_copy_directory_attributes(int from, const struct stat *status, int to, struct tsc_err *err)
{
    struct layer_object source = { .fd = from }, target = { .fd = to };
    struct layer_attributes attributes;
    int result;

    layer_attributes_of(status, &attributes);
    if ((result = layer_set_owner(target, &attributes, err)) < 0 || (result = layer_clear_xattrs(to, err)) < 0 ||
        (result = layer_copy_xattrs(source, target, err)) < 0)
        return result;
    return layer_set_mode_and_time(target, &attributes, true, err);
}
