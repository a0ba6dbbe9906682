/*
 * Who the program runs as.
 *
 *   step            needs                          why in this place
 *   --------------  -----------------------------  ------------------------------------------------------------
 *   bounding        CAP_SETPCAP                    first: nothing later can regain what is dropped here
 *   groups, gid     CAP_SETGID                     before the uid: afterwards the right to do so is gone
 *   uid             CAP_SETUID, keep-caps          keeps the permitted set for the next step
 *   capabilities    a subset of what is permitted  last: inheritable and ambient are empty unless asked for
 *
 * Each change is read back: a drop that did not happen must end the start (CVE-2022-29162 and relatives).
 */
#include "account.h"
#include "launch.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define ACCOUNT_FILE_MAX (4 * 1024 * 1024)
#define MAX_ID 2147483647u /* larger ones wrapped to 0 elsewhere (CVE-2024-40635) */

/* Strictly digits without a leading zero: "0x1", " 1", "+1" and "01" are names (CVE-2026-30892). */
static bool parse_id(const char *text, size_t size, unsigned *id)
{
    unsigned long long value = 0;

    if (size == 0 || size > 10 || (size > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *id = (unsigned)value;
    return value <= MAX_ID;
}

/* A file of the image, hence hostile: a regular file of bounded size below the root, or nothing. NULL with errnum 0: absent. */
static char *read_account_file(struct tsc_launch *launch, const char *path, struct tsc_err *err)
{
    TSC_AUTO_FD fd = tsc_openat_in_root(launch->root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    struct stat status;
    TSC_AUTO_FREE char *text = NULL;
    char *out;

    if (fd == -ENOENT || fd == -ENOTDIR)
        return NULL;
    if (fd < 0 || fstat(fd, &status) < 0) {
        int failure = fd < 0 ? -fd : errno;

        tsc_fail(err, failure, "user", "%s: %s", path, strerror(failure));
        return NULL;
    }
    if (!S_ISREG(status.st_mode) || status.st_size > ACCOUNT_FILE_MAX) {
        tsc_fail(err, EINVAL, "user", "%s is no regular file of reasonable size", path);
        return NULL;
    }
    text = malloc((size_t)status.st_size + 1);
    if (text == NULL || tsc_read_all(fd, text, (size_t)status.st_size) < 0) {
        tsc_fail(err, EIO, "user", "%s cannot be read", path);
        return NULL;
    }
    text[status.st_size] = '\0';
    out = text;
    text = NULL;
    return out;
}

/* The next line cut into its fields at ':'; the last field takes the rest. */
static bool next_line(char **at, char *fields[], size_t wanted)
{
    while (**at != '\0') {
        char *line = *at;
        size_t count = 0;

        *at += strcspn(*at, "\n");
        if (**at == '\n')
            *(*at)++ = '\0';
        for (fields[count++] = line; count < wanted; count++) {
            line = strchr(line, ':');
            if (line == NULL)
                break;
            *line++ = '\0';
            fields[count] = line;
        }
        if (count == wanted)
            return true;
    }
    return false;
}

static int look_up_user(struct tsc_launch *launch, const char *user, size_t size, struct tsc_account *account,
                        struct tsc_err *err)
{
    unsigned id = 0;
    bool numeric = parse_id(user, size, &id);
    TSC_AUTO_FREE char *text = read_account_file(launch, "/etc/passwd", err);
    char *at = text;
    char *fields[7];

    if (err->errnum != 0)
        return -err->errnum;
    while (text != NULL && next_line(&at, fields, 7)) {
        unsigned uid;
        unsigned gid;

        if (!parse_id(fields[2], strlen(fields[2]), &uid) || !parse_id(fields[3], strlen(fields[3]), &gid))
            continue;
        if (numeric ? uid != id : strlen(fields[0]) != size || memcmp(fields[0], user, size) != 0)
            continue;
        account->uid = uid;
        account->gid = gid;
        snprintf(account->name, sizeof(account->name), "%s", fields[0]);
        snprintf(launch->home, sizeof(launch->home), "%s", fields[5][0] == '/' ? fields[5] : "/");
        return 0;
    }
    if (!numeric)
        return tsc_fail(err, ENOENT, "user", "no user '%.*s' in /etc/passwd of the image", (int)size, user);
    account->uid = id; /* a number needs no entry */
    account->gid = 0;
    return 0;
}

static int add_group(struct tsc_account *account, gid_t gid, struct tsc_err *err)
{
    for (size_t i = 0; i < account->group_count; i++)
        if (account->groups[i] == gid)
            return 0;
    if (account->group_count == TSC_MAX_GROUPS)
        return tsc_fail(err, E2BIG, "user", "more than %d groups", TSC_MAX_GROUPS);
    account->groups[account->group_count++] = gid;
    return 0;
}

static bool is_member(const char *members, const char *name)
{
    size_t size = strlen(name);

    for (const char *at = members; size > 0 && *at != '\0'; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
        if (strcspn(at, ",") == size && memcmp(at, name, size) == 0)
            return true;
    }
    return false;
}

/* Calls for each line of /etc/group; `wanted` NULL collects the groups that list the user, else finds that name. */
static int search_groups(struct tsc_launch *launch, struct tsc_account *account, const char *wanted, gid_t *found,
                         struct tsc_err *err)
{
    TSC_AUTO_FREE char *text = read_account_file(launch, "/etc/group", err);
    char *at = text;
    char *fields[4];
    unsigned gid;

    if (err->errnum != 0)
        return -err->errnum;
    while (text != NULL && next_line(&at, fields, 4)) {
        if (!parse_id(fields[2], strlen(fields[2]), &gid))
            continue;
        if (wanted == NULL && is_member(fields[3], account->name) && add_group(account, gid, err) < 0)
            return -err->errnum;
        if (wanted != NULL && strcmp(fields[0], wanted) == 0) {
            *found = gid;
            return 0;
        }
    }
    return wanted == NULL ? 0 : tsc_fail(err, ENOENT, "user", "no group '%s' in /etc/group of the image", wanted);
}

static int find_group(struct tsc_launch *launch, struct tsc_account *account, const char *group, gid_t *gid,
                      struct tsc_err *err)
{
    if (parse_id(group, strlen(group), gid))
        return 0;
    return search_groups(launch, account, group, gid, err);
}

static int become(struct tsc_launch *launch, const struct tsc_account *account, struct tsc_err *err)
{
    uid_t real;
    uid_t effective;
    uid_t saved;

    if (launch->terminal && fchown(STDIN_FILENO, account->uid, (gid_t)-1) < 0)
        return tsc_fail(err, errno, "chown", "the terminal to %u", account->uid);
    if (setgroups(account->group_count, account->groups) < 0)
        return tsc_fail(err, errno, "setgroups", "%zu groups", account->group_count);
    if (setresgid(account->gid, account->gid, account->gid) < 0)
        return tsc_fail(err, errno, "setresgid", "%u", account->gid);
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return tsc_fail(err, errno, "prctl", "keep capabilities");
    if (setresuid(account->uid, account->uid, account->uid) < 0)
        return tsc_fail(err, errno, "setresuid", "%u", account->uid);
    if (getresuid(&real, &effective, &saved) < 0 || real != account->uid || effective != real || saved != real)
        return tsc_fail(err, EPERM, "setresuid", "still another user than %u", account->uid);
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
        return tsc_fail(err, errno, "prctl", "keep capabilities");
    launch->uid = account->uid;
    launch->gid = account->gid;
    return 0;
}

int tsc_op_identity(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    struct tsc_account account = { .uid = tsc_take_u32(payload), .gid = tsc_take_u32(payload) };
    struct tsc_bytes groups = tsc_take_bytes(payload);

    if (groups.size % sizeof(gid_t) != 0 || groups.size > sizeof(account.groups))
        return tsc_fail(err, EINVAL, "setgroups", "%u bytes", groups.size);
    memcpy(account.groups, groups.data, groups.size);
    account.group_count = groups.size / sizeof(gid_t);
    return become(launch, &account, err);
}

int tsc_find_account(struct tsc_launch *launch, const char *user, char *const *groups, struct tsc_account *account,
                     struct tsc_err *err)
{
    const char *colon = strchr(user, ':');
    size_t size = colon == NULL ? strlen(user) : (size_t)(colon - user);
    bool has_group = colon != NULL && colon[1] != '\0';

    if (look_up_user(launch, size == 0 ? "0" : user, size == 0 ? 1 : size, account, err) < 0)
        return -err->errnum;
    if (has_group && find_group(launch, account, colon + 1, &account->gid, err) < 0)
        return -err->errnum;
    if (add_group(account, account->gid, err) < 0)
        return -err->errnum;
    if (!has_group && search_groups(launch, account, NULL, NULL, err) < 0)
        return -err->errnum;
    for (; *groups != NULL; groups++) {
        gid_t gid = 0;

        if (find_group(launch, account, *groups, &gid, err) < 0 || add_group(account, gid, err) < 0)
            return -err->errnum;
    }
    return 0;
}

int tsc_op_named_identity(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *user = tsc_take_string(payload);
    size_t count = 0;
    TSC_AUTO_FREE char **groups = tsc_take_list(payload, 0, &count);
    struct tsc_account account = { 0 };

    if (groups == NULL)
        return tsc_fail(err, ENOMEM, "user", "%s", user);
    if (tsc_find_account(launch, user, groups, &account, err) < 0)
        return -err->errnum;
    return become(launch, &account, err);
}

int tsc_op_bounding(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint64_t keep = tsc_take_u64(payload);

    (void)launch;
    for (int capability = 0; capability < 64; capability++) {
        int held;

        if ((keep & (1ull << capability)) != 0)
            continue;
        held = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (held < 0)
            break; /* EINVAL: beyond the last capability of this kernel */
        if (held == 1 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return tsc_fail(err, errno, "prctl", "drop capability %d from the bounding set", capability);
    }
    return 0;
}

static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable, struct tsc_err *err)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[2];

    if (syscall(SYS_capget, &header, sets) < 0)
        return tsc_fail(err, errno, "capget", "own capabilities");
    for (int half = 0; half < 2; half++) {
        /* What this kernel or this host does not permit cannot be given; the bounding set was cut the same way. */
        sets[half].inheritable = (uint32_t)(inheritable >> (32 * half)) & sets[half].permitted; /* as permitted so far */
        sets[half].permitted &= (uint32_t)(permitted >> (32 * half));
        sets[half].effective = (uint32_t)(effective >> (32 * half)) & sets[half].permitted;
    }
    if (syscall(SYS_capset, &header, sets) < 0)
        return tsc_fail(err, errno, "capset", "permitted 0x%llx", (unsigned long long)permitted);
    return 0;
}

int tsc_op_capabilities(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint64_t effective = tsc_take_u64(payload);
    uint64_t permitted = tsc_take_u64(payload);
    uint64_t inheritable = tsc_take_u64(payload);
    uint64_t ambient = tsc_take_u64(payload);

    if (launch->uid != 0) {
        /* exec would take these away from another user anyway; from here on the user's own permissions decide */
        effective &= ambient;
        permitted &= ambient | inheritable;
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return tsc_fail(err, errno, "prctl", "clear ambient capabilities");
    if (set_capabilities(effective, permitted, inheritable, err) < 0)
        return -err->errnum;
    for (unsigned capability = 0; capability < 64; capability++)
        if ((ambient & (1ull << capability)) != 0 &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)capability, 0, 0) < 0)
            return tsc_fail(err, errno, "prctl", "raise ambient capability %u", capability);
    return 0;
}

/* HOME of the program, for an identity given by numbers. */
int tsc_op_find_home(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    struct tsc_account account = { 0 };
    struct tsc_err ignored = { 0 };
    char text[16];

    (void)err;
    snprintf(text, sizeof(text), "%u", tsc_take_u32(payload));
    /* An image without a readable user database has no home directories: "/" is the answer then. */
    (void)look_up_user(launch, text, strlen(text), &account, &ignored);
    return 0;
}
