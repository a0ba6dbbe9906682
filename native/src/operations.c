/*
 * All operations of a launch plan. lib/runtime/operation-table.ts has the same rows; a test compares the two.
 * Codes are the wire format: append, never renumber.
 */
#include "launch.h"

#define PREPARE (1u << TSC_PREPARE)
#define PARENT (1u << TSC_PARENT)
#define CHILD (1u << TSC_CHILD)
#define CLEANUP (1u << TSC_CLEANUP)

const struct tsc_operation tsc_operations[] = {
    { 1, "make-directory", "su", PREPARE | PARENT, tsc_op_make_directory },
    { 2, "remove-directory", "s", CLEANUP, tsc_op_remove_directory },
    { 3, "write-file", "ss", PREPARE | PARENT | CHILD | CLEANUP, tsc_op_write_file },
    { 4, "join-cgroup", "s", PREPARE, tsc_op_join_cgroup },
    { 5, "netlink", "ubb", PREPARE | PARENT | CHILD | CLEANUP, tsc_op_netlink },
    { 6, "open-process", "uuq", PREPARE, tsc_op_open_process },
    { 7, "join-namespace", "uu", PREPARE | CHILD, tsc_op_join_namespace },
    { 8, "reserve-port", "usu", PREPARE, tsc_op_reserve_port },
    { 9, "write-id-map", "us", PARENT, tsc_op_write_id_map },
    { 10, "sync", "", CHILD, tsc_op_sync },
    { 11, "unshare", "u", CHILD, tsc_op_unshare },
    { 12, "propagation", "u", CHILD, tsc_op_propagation },
    { 13, "overlay-root", "lsssu", CHILD, tsc_op_overlay_root },
    { 14, "bind-root", "ss", CHILD, tsc_op_bind_root },
    { 15, "use-root", "s", CHILD, tsc_op_use_root },
    { 16, "mount", "sslqu", CHILD, tsc_op_mount },
    { 17, "bind", "ssuqqu", CHILD, tsc_op_bind },
    { 18, "node", "suuuuu", CHILD, tsc_op_node },
    { 19, "symlink", "ss", CHILD, tsc_op_symlink },
    { 20, "root-directory", "suuu", CHILD, tsc_op_root_directory },
    { 21, "mask", "s", CHILD, tsc_op_mask },
    { 22, "readonly-path", "s", CHILD, tsc_op_readonly_path },
    { 23, "pivot-root", "", CHILD, tsc_op_pivot_root },
    { 24, "readonly-root", "", CHILD, tsc_op_readonly_root },
    { 25, "hostname", "s", CHILD, tsc_op_hostname },
    { 26, "domainname", "s", CHILD, tsc_op_domainname },
    { 27, "rlimit", "uqq", CHILD, tsc_op_rlimit },
    { 28, "oom-score", "s", CHILD, tsc_op_oom_score },
    { 29, "umask", "u", CHILD, tsc_op_umask },
    { 30, "session", "", CHILD, tsc_op_session },
    { 31, "terminal", "uu", CHILD, tsc_op_terminal },
    { 32, "working-directory", "su", CHILD, tsc_op_working_directory },
    { 33, "bounding", "q", CHILD, tsc_op_bounding },
    { 34, "identity", "uub", CHILD, tsc_op_identity },
    { 35, "named-identity", "sl", CHILD, tsc_op_named_identity },
    { 36, "capabilities", "qqqq", CHILD, tsc_op_capabilities },
    { 37, "no-new-privileges", "", CHILD, tsc_op_no_new_privileges },
    { 38, "seccomp", "ub", CHILD, tsc_op_seccomp },
    { 39, "execute", "ll", CHILD, tsc_op_execute },
    { 40, "remove-tree", "s", CLEANUP, tsc_op_remove_tree },
    { 80, "device-filter", "sb", PREPARE, tsc_op_device_filter },
};

const size_t tsc_operation_count = sizeof(tsc_operations) / sizeof(tsc_operations[0]);
