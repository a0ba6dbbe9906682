/*
 * What the library asks a role to do, on descriptor 0. Records as in the report: a letter, then fields that end with
 * NUL: "D path" (directory that the layer implies) and "H path, target" (hard link to something in a lower layer).
 */
#include "layer.h"

#include <string.h>

enum { request_max = 64 * 1024 * 1024 };

int layer_read_request(struct layer_request *request, struct tsc_err *err)
{
    size_t capacity = 0;

    for (;;) {
        ssize_t count;

        if (request->length == capacity) {
            char *bigger = capacity >= request_max ? NULL : realloc(request->text, capacity + 64 * 1024);

            if (bigger == NULL)
                return tsc_fail(err, ENOMEM, "realloc", "request");
            request->text = bigger;
            capacity += 64 * 1024;
        }
        count = read(0, request->text + request->length, capacity - request->length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return tsc_fail(err, errno, "read", "request");
        if (count == 0)
            return 0;
        request->length += (size_t)count;
    }
}

static int next_field(struct layer_request *request, const char **out, struct tsc_err *err)
{
    char *field = request->text + request->position;
    char *end = memchr(field, 0, request->length - request->position);
    char clean[TAR_PATH_MAX + 1];
    int result;

    if (end == NULL)
        return tar_bad(err, "the request is cut");
    if ((result = layer_clean_name(field, clean, err)) < 0)
        return result;
    request->position += (size_t)(end - field) + 1;
    memcpy(field, clean, strlen(clean) + 1); /* cleaning never makes a name longer */
    *out = field;
    return 0;
}

int layer_next_request(struct layer_request *request, char *type, const char **first, const char **second,
                       struct tsc_err *err)
{
    int result;

    if (request->position == request->length)
        return 0;
    *type = request->text[request->position++];
    *second = "";
    if (*type != 'D' && *type != 'H')
        return tar_bad(err, "the request has a record of type %d", *type);
    if ((result = next_field(request, first, err)) < 0 || (*type == 'H' && (result = next_field(request, second, err)) < 0))
        return result;
    return 1;
}
