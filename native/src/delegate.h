/* What operations share that have another program make the container's processes. */
#ifndef TSC_DELEGATE_H
#define TSC_DELEGATE_H

#include "launch.h"

#include <fcntl.h>

/* Becomes that program, with descriptors 0 to 2 only. */
__attribute__((noreturn)) void tsc_delegate_execute(char *const *arguments, char *const *environment);
/* What it has said last, as far as it fits. */
void tsc_delegate_reason(const char *log, char reason[256]);
/* The container's first process, as the program has noted it. */
int tsc_delegate_pid(const char *path, struct tsc_err *err);
/* Has the shim take that process for the container. */
int tsc_delegate_tell(struct tsc_launch *launch, int pid, struct tsc_err *err);

#endif
