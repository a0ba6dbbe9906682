/* One launch: what its operations share, and the operations themselves. */
#ifndef TSC_LAUNCH_H
#define TSC_LAUNCH_H

#include "plan.h"

#include <sys/resource.h>

#define TSC_NETNS_FD 100 /* where stage `parent` finds the container's network namespace; TypeScript has the same */
#define TSC_MAX_PORTS 1024
#define TSC_MAX_TARGETS 64 /* open processes, namespaces and sockets, by number */
#define TSC_MAX_MOUNTS 256
#define TSC_MAX_KEPT 1024
#define TSC_MAX_CGROUPS 32
#define TSC_MAX_NETFILTER 16
#define TSC_MAX_DISCARDED 4
#define TSC_LAUNCH_SECONDS 120 /* a child that has not reached its program by then is killed by the kernel */

/* Descriptors that the program gets from the caller. */
struct tsc_kept {
    int numbers[TSC_MAX_KEPT]; /* that they shall have, rising */
    int raised[TSC_MAX_KEPT];  /* where they wait meanwhile */
    size_t count;
};

struct tsc_launch {
    /* Shim side */
    pid_t child;                  /* 0 while there is none */
    int child_pidfd;              /* of the child */
    int targets[TSC_MAX_TARGETS]; /* pidfds of processes whose namespaces are joined */
    int *ports;                   /* sockets that hold host ports */
    size_t port_count;
    int cgroups[TSC_MAX_CGROUPS]; /* `tasks` files of v1 groups, open for the child to move itself */
    size_t cgroup_count;
    int netfilter[TSC_MAX_NETFILTER]; /* sockets that stay open until the shim ends */
    size_t netfilter_count;
    int mounts[TSC_MAX_MOUNTS];     /* made and not yet put in place; 0: none */
    int go_fd;                      /* writing end of the child's sync_fd, while it may wait there */
    const int *stdio;               /* what the child gets as 0, 1, 2; NULL in the child, which has them there */
    int report_end;                 /* reading end of the child's report_fd */
    int terminal_fd;                /* controlling side of the child's terminal; -1: none */
    struct tsc_failure child_failure; /* what the child said while stage `parent` was still running */
    int host_time_fd;               /* the time namespace to go back to; -1: never left */
    int host_network_fd;            /* the network namespace to go back to; -1: never left */
    const char *discarded[TSC_MAX_DISCARDED]; /* trees to remove when everything else is done */
    size_t discarded_count;
    bool handed_over;               /* the child is our parent's, who gets its exit status; we only watch it */
    bool waiting;                   /* the child waits for the order to start */
    int listen_fd;                  /* where later processes reach the shim; -1: nowhere */
    int cgroup_fd; /* directory of the v2 group in which the child is born; -1: none */
    const char *thaw_file; /* gets `thaw_data` when the child is killed; NULL: none */
    const char *thaw_data;
    const char *killed_group; /* directory of a cgroup whose processes do not end with the first; NULL: none */

    /* Child side */
    int sync_fd;   /* reading end: one byte when stage `parent` is done, end of file when the shim has died */
    int report_fd; /* to the shim: what went wrong, or the terminal, or the mark that exec comes next */
    pid_t own_pid; /* its number on the host, known after `sync` */
    struct tsc_kept *kept; /* NULL: none */
    bool terminal; /* stdin, stdout and stderr are a terminal of the container's own devpts */
    int root_fd;   /* root of the container's file system, -1 before it is mounted */
    dev_t root_device;
    ino_t root_inode;
    int limit_timer;   /* the kernel's number of the timer that ends a launch which takes too long */
    unsigned step;     /* counts operations */
    uint32_t skipped;  /* so many of the next operations have been replaced */
    int directory_fd;  /* where the latest node was made; -1: none */
    unsigned directory_step;
    char directory[256];
    uid_t uid;
    gid_t gid;
    char home[256]; /* of the container user; "" when unknown */
    bool limits_open_files;
    struct rlimit open_files; /* takes effect with the program */
    bool ambient;   /* ambient capabilities are wanted after the change of identity */
};

typedef int tsc_run(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err);

/* host.c */
tsc_run tsc_op_make_directory, tsc_op_remove_directory, tsc_op_write_file, tsc_op_write_values, tsc_op_make_file,
    tsc_op_join_cgroup, tsc_op_reserve_port, tsc_op_write_id_map, tsc_op_remove_tree, tsc_op_discard_tree,
    tsc_op_thaw_on_kill, tsc_op_own;
/* device-filter.c */
tsc_run tsc_op_device_filter;
/* netlink.c */
tsc_run tsc_op_netlink;
/* namespaces.c */
tsc_run tsc_op_open_process, tsc_op_join_namespace, tsc_op_unshare, tsc_op_sync, tsc_op_hostname, tsc_op_domainname;
/* rootfs.c */
tsc_run tsc_op_propagation, tsc_op_scratch, tsc_op_overlay_root, tsc_op_bind_root, tsc_op_use_root, tsc_op_pivot_root,
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
/* init.c */
tsc_run tsc_op_init;
/* saved-operations.c */
tsc_run tsc_op_saved_operations;
/* mapped-overlay.c */
tsc_run tsc_op_mapped_overlay;
/* delegate.c */
tsc_run tsc_op_delegate;
/* revive.c */
tsc_run tsc_op_revive;
/* kill-group.c */
tsc_run tsc_op_kill_group;
/* After the first process: ends the others, if an operation has asked for that. */
void tsc_kill_group(struct tsc_launch *launch);
/* Removes the groups that a container has made in its own. 0, or -errno. */
int tsc_remove_groups_below(const char *path);

/* mount-slots.c */
tsc_run tsc_op_borrow_mount, tsc_op_make_mount, tsc_op_mount_attributes, tsc_op_place_mount, tsc_op_place_root, tsc_op_make_node_mount;
/* user-maps.c */
tsc_run tsc_op_map_users, tsc_op_open_namespace, tsc_op_time_namespace, tsc_op_fork_again, tsc_op_await_fork;
/* network-namespace.c */
tsc_run tsc_op_new_network, tsc_op_enter_network;
/* rendezvous.c */
tsc_run tsc_op_release_child, tsc_op_await_child, tsc_op_ready, tsc_op_await_start, tsc_op_listen, tsc_op_connect;
/* hooks.c */
tsc_run tsc_op_run_hook;
/* attributes.c */
tsc_run tsc_op_personality, tsc_op_scheduler, tsc_op_io_priority, tsc_op_cpu_affinity, tsc_op_memory_policy,
    tsc_op_label, tsc_op_stdio_owner, tsc_op_become_root, tsc_op_keep_descriptors;
/* further ones in the files of their kin */
tsc_run tsc_op_console, tsc_op_seccomp_notify, tsc_op_find_home, tsc_op_change_root, tsc_op_ensure_node, tsc_op_hand_over,
    tsc_op_find_program;

/* rootfs.c: mounts an overlay of directories on a directory of the host; `lower` has the topmost first. */
#define TSC_OVERLAY_VOLATILE 1u
#define TSC_OVERLAY_USER_XATTR 2u
int tsc_mount_overlay(char *const *lower, const char *upper, const char *work, const char *target, uint32_t flags,
                      struct tsc_err *err);
/* rootfs.c: from here on every path of the container is resolved below this descriptor, which is handed over. */
int tsc_hold_root(struct tsc_launch *launch, int fd, struct tsc_err *err);
/* Resolves a directory or file below the container's root, which may be hostile. `no_links` refuses any symbolic link. */
int tsc_resolve(struct tsc_launch *launch, const char *path, int flags, bool no_links, struct tsc_err *err);
/* The same, and makes what is missing: 'd' a directory, 'f' an empty file. Returns an O_PATH fd. */
int tsc_resolve_or_make(struct tsc_launch *launch, const char *path, char kind, bool no_links, struct tsc_err *err);
/* Opens the parent directory of `path` (made when missing) and gives the last component. */
int tsc_open_parent(struct tsc_launch *launch, const char *path, char name[256], struct tsc_err *err);
/* The same for a row of operations in one directory, which stays open: the descriptor is not the caller's to close. */
int tsc_borrow_parent(struct tsc_launch *launch, const char *path, char name[256], struct tsc_err *err);
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

/* After a launch that left the child waiting: lets it go on, and returns when its program runs. */
int tsc_continue_child(struct tsc_launch *launch, struct tsc_failure *failure);
/* Takes one message of the child. Returns its first byte's meaning: 'E' about to execute, 'T' terminal (in *fd), 'R' ready,
 * 'W' waits for the start, 'P' goes on as another process (its number in *fd), 'F' failure (filled); 0 at the end. */
int tsc_take_report(int report_fd, int *fd, struct tsc_failure *failure);
/* host.c */
void tsc_thaw(const struct tsc_launch *launch);
/* rendezvous.c */
int tsc_release_child(struct tsc_launch *launch, struct tsc_err *err);
int tsc_send_with_descriptor(int socket, const void *data, size_t size, int fd);
/* host.c: the last thing that a shim does. A tree that cannot be removed is left to whoever opens the engine next. */
void tsc_remove_discarded(struct tsc_launch *launch);
/* network-namespace.c: the shim goes back to the host's, and lets go of the container's. */
int tsc_leave_network(struct tsc_launch *launch, struct tsc_err *err);
/* user-maps.c */
int tsc_leave_time(struct tsc_launch *launch, struct tsc_err *err);
/* attributes.c */
int tsc_place_kept(struct tsc_launch *launch, struct tsc_err *err);

#endif
