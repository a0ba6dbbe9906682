/* One launch: what its operations share, and the operations themselves. */
#ifndef TSC_LAUNCH_H
#define TSC_LAUNCH_H

#include "plan.h"

#include <sys/resource.h>

#define TSC_NETNS_FD 100 /* where stage `parent` finds the container's network namespace; TypeScript has the same */
#define TSC_MAX_PORTS 1024
#define TSC_MAX_TARGETS 8
#define TSC_MAX_CGROUPS 32
#define TSC_MAX_NETFILTER 16

struct tsc_launch {
    /* Shim side */
    pid_t child;                  /* 0 while there is none */
    int child_pidfd;              /* of the child */
    int targets[TSC_MAX_TARGETS]; /* pidfds of processes whose namespaces are joined */
    int ports[TSC_MAX_PORTS];     /* sockets that hold host ports */
    size_t port_count;
    int cgroups[TSC_MAX_CGROUPS]; /* `tasks` files of v1 groups, open for the child to move itself */
    size_t cgroup_count;
    int netfilter[TSC_MAX_NETFILTER]; /* sockets that stay open until the shim ends */
    size_t netfilter_count;
    int cgroup_fd; /* directory of the v2 group in which the child is born; -1: none */

    /* Child side */
    int sync_fd;   /* reading end: one byte when stage `parent` is done, end of file when the shim has died */
    int report_fd; /* to the shim: what went wrong, or the terminal, or the mark that exec comes next */
    bool terminal; /* stdin, stdout and stderr are a terminal of the container's own devpts */
    int root_fd;   /* root of the container's file system, -1 before it is mounted */
    uid_t uid;
    gid_t gid;
    char home[256]; /* of the container user; "" when unknown */
    bool limits_open_files;
    struct rlimit open_files; /* takes effect with the program */
    bool ambient;   /* ambient capabilities are wanted after the change of identity */
};

typedef int tsc_run(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err);

/* host.c */
tsc_run tsc_op_make_directory, tsc_op_remove_directory, tsc_op_write_file, tsc_op_join_cgroup, tsc_op_reserve_port,
    tsc_op_write_id_map, tsc_op_remove_tree;
/* device-filter.c */
tsc_run tsc_op_device_filter;
/* netlink.c */
tsc_run tsc_op_netlink;
/* namespaces.c */
tsc_run tsc_op_open_process, tsc_op_join_namespace, tsc_op_unshare, tsc_op_sync, tsc_op_hostname, tsc_op_domainname;
/* rootfs.c */
tsc_run tsc_op_propagation, tsc_op_overlay_root, tsc_op_bind_root, tsc_op_use_root, tsc_op_pivot_root,
    tsc_op_readonly_root;
/* mounts.c */
tsc_run tsc_op_mount, tsc_op_bind, tsc_op_mask, tsc_op_readonly_path;
/* nodes.c */
tsc_run tsc_op_node, tsc_op_symlink, tsc_op_root_directory, tsc_op_working_directory;
/* identity.c */
tsc_run tsc_op_identity, tsc_op_named_identity, tsc_op_bounding, tsc_op_capabilities;
/* confine.c */
tsc_run tsc_op_rlimit, tsc_op_no_new_privileges, tsc_op_seccomp, tsc_op_oom_score, tsc_op_umask, tsc_op_session;
/* terminal.c */
tsc_run tsc_op_terminal;
/* execute.c */
tsc_run tsc_op_execute;

/* Resolves a directory or file below the container's root, which may be hostile. `no_links` refuses any symbolic link. */
int tsc_resolve(struct tsc_launch *launch, const char *path, int flags, bool no_links, struct tsc_err *err);
/* The same, and makes what is missing: 'd' a directory, 'f' an empty file. Returns an O_PATH fd. */
int tsc_resolve_or_make(struct tsc_launch *launch, const char *path, char kind, bool no_links, struct tsc_err *err);
/* Opens the parent directory of `path` (made when missing) and gives the last component. */
int tsc_open_parent(struct tsc_launch *launch, const char *path, char name[256], struct tsc_err *err);
/* pidfd_open(2) of a process that must have this start time (proc(5), field 22). */
int tsc_open_process(pid_t pid, uint64_t start_ticks, struct tsc_err *err);
/* Field 22 of /proc/PID/stat, or 0. */
uint64_t tsc_start_ticks(pid_t pid);

/*
 * launch.c: starts the child; on failure nothing is left but what stage `cleanup` removes. `terminal` gets the
 * controlling side of the terminal that the plan asked for, or stays -1.
 */
int tsc_launch_child(struct tsc_launch *launch, const struct tsc_plan *plan, const int stdio[3], int *terminal,
                     struct tsc_failure *failure);

#endif
