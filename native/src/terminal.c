/*
 * The container's terminal: opened in its own devpts and connected by descriptors alone. The other side is taken with
 * TIOCGPTPEER, since a path like /dev/pts/0 may be a trap of the image (CVE-2025-52565).
 */
#include "launch.h"
#include "mount-api.h"

#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

static int send_descriptor(int socket, int fd)
{
    return tsc_send_with_descriptor(socket, "T", 1, fd);
}

/* /dev/console is this terminal, where the image's root has that file (made by an earlier operation). */
static int mount_console(struct tsc_launch *launch, int peer, struct tsc_err *err)
{
    TSC_AUTO_FD target = tsc_openat_in_root(launch->root_fd, "/dev/console", O_PATH | O_NOFOLLOW, 0);
    TSC_AUTO_FD mount = -1;

    if (target == -ENOENT)
        return 0;
    if (target < 0)
        return tsc_fail(err, -target, "openat2", "/dev/console");
    mount = tsc_open_tree(peer, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
    if (mount < 0)
        return tsc_fail(err, errno, "open_tree", "the terminal");
    if (tsc_move_mount(mount, target) < 0)
        return tsc_fail(err, errno, "move_mount", "the terminal on /dev/console");
    return 0;
}

static int open_terminal(struct tsc_launch *launch, struct winsize size, int (*hand_over)(int socket, int fd), int socket,
                         struct tsc_err *err)
{
    TSC_AUTO_FD master = tsc_resolve(launch, "/dev/pts/ptmx", O_RDWR | O_NOCTTY, true, err);
    TSC_AUTO_FD peer = -1;
    int unlock = 0;
    int sent;

    if (master < 0)
        return master;
    /* The size is there before the program runs: it may ask at once. */
    if (ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCSWINSZ, &size) < 0)
        return tsc_fail(err, errno, "ioctl", "/dev/pts/ptmx");
    peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (peer < 0)
        return tsc_fail(err, errno, "TIOCGPTPEER", "/dev/pts/ptmx");
    sent = hand_over(socket, master);
    if (sent < 0)
        return tsc_fail(err, -sent, "sendmsg", "the terminal");
    if (mount_console(launch, peer, err) < 0)
        return -err->errnum;
    for (int fd = 0; fd < 3; fd++)
        if (dup2(peer, fd) < 0)
            return tsc_fail(err, errno, "dup2", "the terminal to %d", fd);
    if (ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
        return tsc_fail(err, errno, "TIOCSCTTY", "the terminal");
    launch->terminal = true;
    return 0;
}

int tsc_op_terminal(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    struct winsize size = { .ws_col = (unsigned short)tsc_take_u32(payload) };

    size.ws_row = (unsigned short)tsc_take_u32(payload);
    return open_terminal(launch, size, send_descriptor, launch->report_fd, err);
}

/* The payload beside the descriptor is a name of the terminal, as runc sends it; receivers do not rely on it. */
static int send_to_console(int socket, int fd)
{
    return tsc_send_with_descriptor(socket, "/dev/ptmx", strlen("/dev/ptmx"), fd);
}

/* The same for a terminal that somebody else handles, at the other end of the socket in `slot`. */
int tsc_op_console(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    uint32_t slot = tsc_take_u32(payload);
    struct winsize size = { .ws_col = (unsigned short)tsc_take_u32(payload) };

    size.ws_row = (unsigned short)tsc_take_u32(payload);
    if (slot >= TSC_MAX_TARGETS || launch->targets[slot] < 0)
        return tsc_fail(err, EINVAL, "console", "no socket in slot %u", slot);
    return open_terminal(launch, size, send_to_console, launch->targets[slot], err);
}
