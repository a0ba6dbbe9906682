/*
 * Work on directory trees that belong to layers. Their content is hostile: every path is resolved by openat2 below a
 * directory descriptor, every change is made by an *at call on the descriptor of the parent, and the final component
 * is never followed.
 */
#ifndef TSC_LAYER_H
#define TSC_LAYER_H

#include "base.h"
#include "tar.h"

#include <sys/stat.h>

/* How a whiteout is written: what overlayfs understands, or the archive's own names for a later merge. */
enum layer_whiteouts { WHITEOUTS_OVERLAY, WHITEOUTS_NAMES };

/* ---- layer-confine.c, layer-seccomp.c: what the process gives up before it looks at its input */

enum layer_confinement {
    CONFINE_DEFAULT = 0,
    CONFINE_TRUSTED = 1, /* keep CAP_SYS_ADMIN, without which trusted.* attributes can be neither read nor written */
};
/* First step of every role: closes what was inherited, except 0-3; dies with the process that started us. */
int layer_start(void);
/* A mount namespace of our own, where nothing propagates; 0 too when that is not allowed (*made is false then). */
int layer_unshare(bool *made, struct tsc_err *err);
/* Opens a directory that the library named, as a path of the host. */
int layer_open_directory(const char *path, struct tsc_err *err);
/*
 * Gives up the file system outside of `directory`, capabilities, and all system calls that tree work does not need.
 * Descriptors that are open stay usable. What an unprivileged user may not give up this way is left as it is.
 */
int layer_confine(int directory, unsigned flags, struct tsc_err *err);
int layer_load_seccomp(struct tsc_err *err);

/* ---- layer-report.c: what the library reads from descriptor 3 */

/* A record: its type, its fields, each ended by NUL. */
void layer_report(char type, const char *first, const char *second);
void layer_report_number(char type, uint64_t first, uint64_t second);
void layer_warn(const char *entry, const char *what);
/* The last record, written at once. Returns the exit status. */
int layer_report_end(int result, const struct tsc_err *err, const char *entry);
void layer_report_flush(void);

/* ---- layer-names.c */

enum layer_name { NAME_ORDINARY, NAME_ROOT, NAME_WHITEOUT, NAME_OPAQUE, NAME_IGNORED };
/*
 * Normalises the name of an entry: no leading or doubled slash, no ".", ".." resolved in the text. Refuses what
 * leaves the root. `out` has TAR_PATH_MAX + 1 bytes.
 */
int layer_clean_name(const char *name, char *out, struct tsc_err *err);
/* What a clean name means; for NAME_WHITEOUT `*hidden` is the name that is hidden. */
int layer_classify(const char *clean, enum layer_name *kind, const char **hidden, struct tsc_err *err);
/* Cuts a clean path into parent ("" for the root) and base name; both in `buffer` (TAR_PATH_MAX + 1 bytes). */
void layer_split(const char *clean, char *buffer, const char **parent, const char **base);
bool layer_is_reserved(const char *component); /* begins with ".wh." */

/* ---- layer-attributes.c */

struct layer_attributes {
    uint32_t uid, gid, mode;
    struct timespec mtime;
};
/* Something in a tree: open (a directory or regular file), or, with fd -1, a name below an open directory. */
struct layer_object {
    int fd, parent;
    const char *name;
};
bool layer_is_whiteout(const struct stat *status);
void layer_attributes_of(const struct stat *status, struct layer_attributes *out);
int layer_set_owner(struct layer_object object, const struct layer_attributes *attributes, struct tsc_err *err);
/* `mode` false leaves the mode alone: symbolic links have none, and mknod has set it already for most nodes. */
int layer_set_mode_and_time(struct layer_object object, const struct layer_attributes *attributes, bool mode,
                            struct tsc_err *err);
int layer_set_mtime(int directory, struct timespec mtime, struct tsc_err *err);

/* ---- layer-xattr.c */

/* True for the extended attributes that a layer may carry. */
bool layer_may_set_xattr(const char *key);
/* Refusals that do no harm (a file system without user attributes) are warned of. */
int layer_set_xattr(struct layer_object object, const char *key, const void *value, size_t size, struct tsc_err *err);
/* The keys of all: a list of the kernel's, read one by one. */
struct layer_xattrs {
    char keys[64 * 1024];
    size_t size, position;
};
int layer_list_xattrs(struct layer_object object, struct layer_xattrs *out, struct tsc_err *err);
const char *layer_next_xattr(struct layer_xattrs *xattrs);
/* The size of the value, or -errno. */
ssize_t layer_get_xattr(struct layer_object object, const char *key, void *value, size_t size);
/* Removes those that a layer may carry. */
int layer_clear_xattrs(int fd, struct tsc_err *err);
int layer_copy_xattrs(struct layer_object from, struct layer_object to, struct tsc_err *err);
/* `status` is that of `from`, taken before anything in it was touched. */
int layer_copy_directory_attributes(int from, const struct stat *status, int to, struct tsc_err *err);

/* ---- layer-remove.c */

/* Removes `name` and everything in it; fine when it is not there. */
int layer_remove(int parent, const char *name, struct tsc_err *err);
/* Removes everything in the directory but not itself. */
int layer_remove_children(int directory, struct tsc_err *err);

/* ---- layer-implicit.c: directories that exist only because something was put below them */

int layer_implicit_add(const struct stat *status, const char *path, struct tsc_err *err);
void layer_implicit_forget(const struct stat *status);
void layer_implicit_report(void);

/* ---- layer-resolve.c */

/*
 * Where `path` leads below `root`: a path without links, "." and "..". Components that do not exist are taken as they
 * are. `out` has TAR_PATH_MAX + 1 bytes.
 */
int layer_resolve(int root, const char *path, char *out, struct tsc_err *err);
/* Opens a directory below `root` ("" is the root itself); an fd or -errno, not recorded. */
int layer_open_below(int root, const char *path, int flags);

/* ---- layer-parent.c */

/* The directory that entries are being written to; its mtime is put back when the writer moves on. */
struct layer_parent {
    int root;
    int fd; /* -1: none */
    char path[TAR_PATH_MAX + 1];
    struct timespec mtime;
    const char *opaque; /* name of overlayfs's extended attribute */
    bool plain;         /* it is no layer: its mtime stays what writing makes it */
    struct tsc_err *err;
};
/* Makes `path` the current directory; what is missing is created, root:root 0755. */
int layer_enter(struct layer_parent *parent, const char *path);
int layer_leave(struct layer_parent *parent);

/* ---- layer-write.c */

struct layer_writer {
    struct layer_parent parent;
    struct tar_reader *archive;
    enum layer_whiteouts whiteouts;
    /* With parent.plain: where names begin; no name means more than itself, and no directory is replaced by a file. */
    const char *prefix;
    struct tsc_err *err;
    uint64_t entries, bytes;
};
int layer_write_entry(struct layer_writer *writer, const struct tar_entry *entry);
void layer_report_root(const struct tar_entry *entry);

/* ---- layer-opaque.c */

int layer_mark_opaque(int directory, enum layer_whiteouts whiteouts, const char *xattr, struct tsc_err *err);

/* ---- layer-below.c, layer-move.c */

/* A read-only view of layers, topmost first, that is mounted nowhere; `user`: they carry user.overlay.* attributes. */
int layer_mount_below(int count, char **paths, bool user, struct tsc_err *err);
/* Moves everything in `from` into `to`, where it takes the place of what has the same name. */
int layer_move_children(int from, int to, struct tsc_err *err);

/* ---- layer-copy.c */

/* Copies one thing that is no directory, with everything it has. */
int layer_copy_node(int from_parent, const char *from, int to_parent, const char *to, const struct stat *status,
                    struct tsc_err *err);
int layer_copy_tree(int from, int to, struct tsc_err *err);
/* The same for a regular file's content: by reference where the file system can, else without filling holes. */
int layer_copy_content(int from, int to, off_t size, struct tsc_err *err);

/* ---- layer-request.c: what the library asks for, on descriptor 0 */

struct layer_request {
    char *text; /* owned */
    size_t length, position;
};
int layer_read_request(struct layer_request *request, struct tsc_err *err);
/* 1 and the next record, 0 at the end; fields point into the text. Paths are clean; "" is the root. */
int layer_next_request(struct layer_request *request, char *type, const char **first, const char **second,
                       struct tsc_err *err);

#endif
