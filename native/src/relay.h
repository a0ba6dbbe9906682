/*
 * Moves bytes between a container's stdio and the outside, where the container does not simply hold the owner's pipes:
 *
 *   served     the container's pipes or terminal ↔ log and attachers (contact.h)
 *   terminal   the terminal ↔ the owner's pipes, descriptors 0 and 1
 */
#ifndef TSC_RELAY_H
#define TSC_RELAY_H

#include "log.h"
#include "plan.h"

#include <poll.h>

#define TSC_RELAY_POLLS 5
#define TSC_RELAY_INPUT 4096
#define TSC_RELAY_CHUNK TSC_LOG_RECORD_MAX

struct tsc_contacts;

struct tsc_relay {
    bool served;
    bool keeps_input; /* served: input comes from attachers */
    bool input_once;  /* the first attacher's end of input is the container's */
    bool held;        /* no output is taken yet */
    bool terminal;    /* the container has one */
    bool touched;     /* `chunk` is in memory */
    struct tsc_log log;
    int output_fd[2]; /* reading ends of stdout and stderr; -1 when closed or unused */
    int stdin_fd;     /* writing end of the container's stdin; -1 when closed or unused */
    int terminal_fd;  /* controlling side; -1: none */
    int input_fd;     /* the owner's input for the terminal; -1 when at its end */
    int owner_fd;     /* where the terminal's output goes when it is not served */
    size_t input_size;
    size_t pending_size; /* terminal output that the owner has not taken yet */
    char input[TSC_RELAY_INPUT];
    char pending[TSC_RELAY_INPUT];
    _Alignas(4096) char chunk[TSC_RELAY_CHUNK];
};

/* Before the launch: opens the log and the container's pipes; `stdio` is what the child gets. */
int tsc_relay_open(struct tsc_relay *relay, int stdio[3], struct tsc_err *err);
/* Before a further run: what the last has left. Its descriptors are closed. */
void tsc_relay_forget(struct tsc_relay *relay);
/* After the launch: lets go of the child's side. */
int tsc_relay_start(struct tsc_relay *relay, const int stdio[3], int terminal_fd, struct tsc_err *err);
void tsc_relay_polls(const struct tsc_relay *relay, const struct tsc_contacts *contacts,
                     struct pollfd polls[TSC_RELAY_POLLS]);
void tsc_relay_work(struct tsc_relay *relay, struct tsc_contacts *contacts, const struct pollfd polls[TSC_RELAY_POLLS],
                    bool exited);
/* True when nothing more can come from the container. */
bool tsc_relay_done(const struct tsc_relay *relay);
/* Gives back memory that an idle container does not need. */
void tsc_relay_rest(struct tsc_relay *relay);
void tsc_relay_resize(struct tsc_relay *relay, struct tsc_reader *payload);

/* For attachers: whether there is any use in input; how many bytes of it the container takes now, -1: never again. */
bool tsc_relay_takes_input(const struct tsc_relay *relay);
ssize_t tsc_relay_input(struct tsc_relay *relay, const void *data, size_t size);
void tsc_relay_end_input(struct tsc_relay *relay);

#endif
