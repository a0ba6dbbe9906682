/* What a process of the shim gives up or sets aside before it has anything to do. */
#include "control.h"
#include "supervise.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static void reset_signals(void)
{
    struct sigaction normal = { .sa_handler = SIG_DFL };
    sigset_t all;

    for (int number = 1; number < 65; number++)
        sigaction(number, &normal, NULL);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

void tsc_set_name(const char *name)
{
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

int tsc_harden_process(struct tsc_err *err)
{
    /* Nothing that Node forgot to close reaches a container; and nobody may look into us while we hold host paths. */
    if (syscall(SYS_close_range, (unsigned)TSC_CONTROL_FD, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */) < 0)
        return tsc_fail(err, errno, "close_range", "from 3");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return tsc_fail(err, errno, "prctl", "not dumpable");
    tsc_set_name("tscontainer-shim");
    umask(022);
    if (setsid() < 0 && errno != EPERM) /* EPERM: a session leader already */
        return tsc_fail(err, errno, "setsid", "own session");
    reset_signals();
    return 0;
}

int tsc_signal_fd(int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int tsc_become_supervisor(struct tsc_err *err)
{
    int fd;

    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return tsc_fail(err, errno, "prctl", "subreaper");
    fd = tsc_signal_fd(SIGCHLD);
    return fd < 0 ? tsc_fail(err, errno, "signalfd", "SIGCHLD") : fd;
}
