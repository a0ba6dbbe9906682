/* The parent of one process, in the steps that `serve` takes before and after there is something to do. */
#ifndef TSC_SUPERVISE_H
#define TSC_SUPERVISE_H

#include "base.h"

/* harden.c. What ps(1) shows; the kernel keeps 15 characters. */
void tsc_set_name(const char *name);
/* Once in a process: nobody may look into it, no signal of a terminal reaches it, signals do what they do in a new one. */
int tsc_harden_process(struct tsc_err *err);
/* Orphans below us become our children. Returns a descriptor that tells of ended ones, or -errno. */
int tsc_become_supervisor(struct tsc_err *err);
/* A descriptor that is readable while this signal, which must be blocked, is pending; -1 with errno. */
int tsc_signal_fd(int number);
/* supervise.c. Takes a launch from descriptor 3 and stays until it is over. Returns the exit status of the process. */
int tsc_supervise(int signal_fd);

#endif
