/* Process 1 of a container that wants one beside its program: it reaps what is orphaned and passes signals on. */
#include "launch.h"
#include "supervise.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The exit code for the shim: that of the program, or 128 and the signal that has ended it, as a shell has it. */
static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Ends with the program: the kernel then ends whatever is left in the PID namespace. */
__attribute__((noreturn)) static void reap_and_forward(pid_t program, const sigset_t *all)
{
    for (;;) {
        siginfo_t info;
        int number = sigwaitinfo(all, &info);
        int status;
        pid_t pid;

        if (number < 0)
            continue;
        if (number != SIGCHLD) {
            kill(program, number);
            continue;
        }
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == program)
                _exit(code_of(status));
    }
}

/* The program is in a group of its own, so that a terminal's signals reach it once and not by us a second time. */
static int lead_group(struct tsc_launch *launch, struct tsc_err *err)
{
    if (setpgid(0, 0) < 0)
        return tsc_fail(err, errno, "setpgid", "program");
    if (launch->terminal && tcsetpgrp(0, getpid()) < 0) /* SIGTTOU is blocked */
        return tsc_fail(err, errno, "tcsetpgrp", "program");
    return 0;
}

/*
 * The process goes on as its own child; what stays is process 1. It has all of the container's restrictions already. The
 * program's report to the shim is heard only when nobody else holds its end.
 */
int tsc_op_init(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    sigset_t all;
    pid_t program;

    (void)payload;
    sigfillset(&all);
    if (sigprocmask(SIG_BLOCK, &all, NULL) < 0)
        return tsc_fail(err, errno, "sigprocmask", "init");
    program = fork();
    if (program < 0)
        return tsc_fail(err, errno, "fork", "the program of an init");
    if (program == 0)
        return lead_group(launch, err);
    syscall(SYS_timer_delete, launch->limit_timer);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || syscall(SYS_close_range, 3u, ~0u, 0) < 0)
        _exit(128);
    tsc_set_name("tscontainer-init");
    reap_and_forward(program, &all);
}
