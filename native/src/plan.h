/*
 * The launch plan as it comes over the wire. Little-endian; every length is checked before it is believed.
 *
 *   plan     = magic "TSCP" · u16 version · u16 flags · u32 total size · u32 new namespaces (CLONE_NEW*) · section × 4
 *   section  = u32 count · operation × count           order: prepare, parent, child, cleanup
 *   operation = u16 code · u16 zero · u32 payload size · payload
 *   payload  = values as the operation's signature says, nothing left over:
 *              u = u32 · q = u64 · b = u32 size, bytes · s = u32 size without NUL, bytes without NUL, NUL
 *              l = u32 count, strings
 */
#ifndef TSC_PLAN_H
#define TSC_PLAN_H

#include "base.h"

#define TSC_PLAN_MAX (4u * 1024 * 1024)
#define TSC_PLAN_VERSION 1
/* The child borrows the shim's memory until it executes its program; stage `parent` is empty and nobody waits for anybody. */
#define TSC_PLAN_SHARES_MEMORY 1u
/* In `sections`: such a plan cannot have this operation, whose process needs memory of its own or an answer of the shim. */
#define TSC_NOT_SHARING (1u << 8)

enum tsc_section { TSC_PREPARE, TSC_PARENT, TSC_CHILD, TSC_CLEANUP, TSC_SECTIONS };

/* Walks over values; a read beyond the end gives zero or "" and sets `bad`. */
struct tsc_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

struct tsc_bytes {
    const uint8_t *data;
    uint32_t size;
};

uint32_t tsc_take_u32(struct tsc_reader *reader);
uint64_t tsc_take_u64(struct tsc_reader *reader);
const char *tsc_take_string(struct tsc_reader *reader);
struct tsc_bytes tsc_take_bytes(struct tsc_reader *reader);
/* A NULL-terminated array of the strings of a list, malloc'ed with `spare` free places at the end; NULL: no memory. */
char **tsc_take_list(struct tsc_reader *reader, size_t spare, size_t *count);

struct tsc_launch;

/* One kind of operation. `run` gets its payload, already checked against `signature`. */
struct tsc_operation {
    uint16_t code;
    const char *name;
    const char *signature;
    unsigned sections; /* bit set of 1 << enum tsc_section in which it may stand, and TSC_NOT_SHARING */
    int (*run)(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err);
};

extern const struct tsc_operation tsc_operations[];
extern const size_t tsc_operation_count;

struct tsc_plan {
    uint32_t flags;
    uint32_t namespaces;
    struct tsc_reader sections[TSC_SECTIONS]; /* each starts at its first operation */
    uint32_t counts[TSC_SECTIONS];
};

/*
 * Checks the whole document. After success every operation can be read without a further check; after a failure the plan
 * is empty.
 */
int tsc_plan_decode(struct tsc_plan *plan, const uint8_t *data, size_t size, struct tsc_err *err);

/* What a failing section left to say: which operation it was. */
#define TSC_NO_OPERATION UINT32_MAX
struct tsc_failure {
    uint32_t section;
    uint32_t index; /* TSC_NO_OPERATION: what failed is a step between operations */
    struct tsc_err err;
};

/*
 * Executes a section in order, up to the first failure, or to the end when `keep_going` (then the first failure is
 * reported all the same).
 */
int tsc_plan_run(const struct tsc_plan *plan, enum tsc_section section, struct tsc_launch *launch, bool keep_going,
                 struct tsc_failure *failure);

#endif
