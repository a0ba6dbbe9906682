/* The names in a directory, sorted: archives and lists come out the same each time. */
#include "sorted-names.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

enum { names_max = 4 * 1024 * 1024 };

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static int add(struct sorted_names *names, const char *name, struct tsc_err *err)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity == 0 ? 32 : names->capacity * 2;
        char **grown = capacity > names_max ? NULL : realloc(names->list, capacity * sizeof(char *));

        if (grown == NULL)
            return tsc_fail(err, ENOMEM, "readdir", "%zu names", names->count);
        names->list = grown;
        names->capacity = capacity;
    }
    names->list[names->count] = strdup(name);
    if (names->list[names->count] == NULL)
        return tsc_fail(err, ENOMEM, "readdir", "%s", name);
    names->count++;
    return 0;
}

int sorted_names(int directory, struct sorted_names *names, struct tsc_err *err)
{
    int duplicate = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = duplicate < 0 ? NULL : fdopendir(duplicate);
    struct dirent *entry;
    int result = 0;

    if (stream == NULL) {
        result = tsc_fail(err, errno, "fdopendir", "directory");
        tsc_close_p(&duplicate);
        return result;
    }
    for (errno = 0; result == 0 && (entry = readdir(stream)) != NULL; errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = add(names, entry->d_name, err);
    if (result == 0 && errno != 0)
        result = tsc_fail(err, errno, "readdir", "directory");
    closedir(stream);
    if (result == 0 && names->count > 1)
        qsort(names->list, names->count, sizeof(char *), by_text);
    return result;
}

void sorted_names_free(struct sorted_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
    *names = (struct sorted_names){ 0 };
}
