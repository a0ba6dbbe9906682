/* Names of entries: normal form, and the names that OCI layers reserve. */
#include "layer.h"

#include <string.h>

int layer_clean_name(const char *name, char *out, struct tsc_err *err)
{
    size_t length = 0;

    for (const char *at = name; *at != 0;) {
        size_t size = strcspn(at, "/");

        if (size == 2 && at[0] == '.' && at[1] == '.') {
            if (length == 0)
                return tar_bad(err, "the name leaves the root");
            while (length > 0 && out[--length] != '/')
                continue;
        } else if (size > 0 && !(size == 1 && at[0] == '.')) {
            if (length + size + 1 > TAR_PATH_MAX)
                return tar_bad(err, "the name is longer than %u bytes", TAR_PATH_MAX);
            if (length > 0)
                out[length++] = '/';
            memcpy(out + length, at, size);
            length += size;
        }
        at += size;
        at += strspn(at, "/");
    }
    out[length] = 0;
    return 0;
}

bool layer_is_reserved(const char *component)
{
    return strncmp(component, ".wh.", 4) == 0;
}

static bool is_metadata(const char *component)
{
    return strncmp(component, ".wh..wh.", 8) == 0;
}

int layer_classify(const char *clean, enum layer_name *kind, const char **hidden, struct tsc_err *err)
{
    const char *component = clean;
    const char *slash;

    *kind = clean[0] == 0 ? NAME_ROOT : NAME_ORDINARY;
    for (; (slash = strchr(component, '/')) != NULL; component = slash + 1) {
        if (is_metadata(component)) {
            *kind = NAME_IGNORED; /* what AUFS kept for itself: .wh..wh.plnk, .wh..wh.aufs */
            return 0;
        }
        if (layer_is_reserved(component))
            return tar_bad(err, "a whiteout is no directory");
    }
    if (!layer_is_reserved(component))
        return 0;
    if (strcmp(component, ".wh..wh..opq") == 0) {
        *kind = NAME_OPAQUE;
    } else if (is_metadata(component)) {
        *kind = NAME_IGNORED;
    } else {
        *kind = NAME_WHITEOUT;
        *hidden = component + 4;
        if (**hidden == 0 || strcmp(*hidden, ".") == 0 || strcmp(*hidden, "..") == 0)
            return tar_bad(err, "a whiteout names nothing");
    }
    return 0;
}

void layer_split(const char *clean, char *buffer, const char **parent, const char **base)
{
    size_t length = strlen(clean);
    char *slash;

    memcpy(buffer, clean, length + 1);
    slash = strrchr(buffer, '/');
    if (slash == NULL) {
        *parent = "";
        *base = buffer;
    } else {
        *slash = 0;
        *parent = buffer;
        *base = slash + 1;
    }
}
