/*
 * Moves bytes between a container's stdio and the outside, for the two cases in which the container does not simply
 * hold the owner's pipes: a log (container's pipes → log file) and a terminal (terminal ↔ owner's pipes, or → log).
 */
#ifndef TSC_RELAY_H
#define TSC_RELAY_H

#include "plan.h"

#include <poll.h>

#define TSC_RELAY_POLLS 4
#define TSC_RELAY_INPUT 4096

struct tsc_relay {
    int log_fd;       /* -1: no log */
    int output_fd[2]; /* reading ends of stdout and stderr, for the log; -1 when closed or unused */
    int terminal_fd;  /* controlling side; -1: none */
    int input_fd;     /* the owner's input for the terminal; -1 when at its end */
    int owner_fd;     /* where the terminal's output goes without a log */
    size_t input_size;
    size_t pending_size; /* terminal output that the owner has not taken yet */
    char input[TSC_RELAY_INPUT];
    char pending[TSC_RELAY_INPUT];
};

/* Before the launch: opens the log and its pipes; `stdio` is what the child gets. */
int tsc_relay_open(struct tsc_relay *relay, const char *log_file, int stdio[3], struct tsc_err *err);
/* After the launch: lets go of the child's side. */
int tsc_relay_start(struct tsc_relay *relay, const int stdio[3], int terminal_fd, struct tsc_err *err);
void tsc_relay_polls(const struct tsc_relay *relay, struct pollfd polls[TSC_RELAY_POLLS]);
void tsc_relay_work(struct tsc_relay *relay, const struct pollfd polls[TSC_RELAY_POLLS], bool exited);
/* True when nothing more can come from the container. */
bool tsc_relay_done(const struct tsc_relay *relay);
void tsc_relay_resize(struct tsc_relay *relay, struct tsc_reader *payload);

#endif
