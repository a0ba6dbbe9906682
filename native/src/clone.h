/* clone.c: a child that shares our memory until it executes its program. */
#ifndef TSC_CLONE_H
#define TSC_CLONE_H

#include "base.h"

#include <linux/sched.h>

/*
 * Returns in the parent alone, once the child has executed a program or has ended: its pid, or -1 with errno. `run` is the
 * child, which must never return. What it changes in memory, it changes for the parent.
 */
pid_t tsc_clone_sharing(struct clone_args *args, void (*run)(void *argument), void *argument);

#endif
