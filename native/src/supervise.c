/*
 * The `supervise` role: the parent of one process, a container's first one or one that joins it.
 *
 * It lives as long as that process, and on while the process is to be started again (restart.h). Its end of the process's
 * story is told in this order, so that nobody sees an exit whose output or record is still missing: output drained → exit
 * record on disk → library told → cleaned up.
 */
#include "contact.h"
#include "control.h"
#include "journal.h"
#include "launch.h"
#include "relay.h"
#include "restart.h"
#include "supervise.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define DRAIN_MS 2000 /* a stray process may hold the pipe open after the container has ended */
#define REST_MS 1000
#define NOT_STARTED 128 /* the exit code of an attempt to start again that failed, as Docker has it */
#define FAREWELL_MS 2000 /* for attachers that have not taken everything when the container has ended */

struct supervisor {
    int control_fd;
    int signal_fd;
    bool durable;
    const char *process_file;
    const char *exit_file;
    const char *oom_file;
    unsigned long oom_kills; /* before the start: a process that joins finds those of its container */
    struct tsc_plan plan;
    struct tsc_launch launch;
    struct tsc_relay relay;
    struct tsc_contacts contacts;
    struct tsc_restart restart;
    struct tsc_journal journal;
    int64_t started; /* on the clock of tsc_milliseconds */
    bool exited;
    siginfo_t exit;
    uint64_t exit_time;
};

static int receive_launch(struct supervisor *self, struct tsc_failure *failure)
{
    uint32_t size = 0;
    uint32_t type = 0;
    int result = tsc_frame_head(self->control_fd, &size, &type);
    uint8_t *data;
    struct tsc_reader reader;
    struct tsc_bytes plan;
    uint32_t flags;

    if (result < 0 || type != TSC_FRAME_LAUNCH)
        return tsc_fail(&failure->err, result < 0 ? -result : EPROTO, "control", "no launch frame");
    data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        return tsc_fail(&failure->err, errno, "mmap", "launch frame of %u bytes", size);
    result = tsc_read_all(self->control_fd, data, size);
    if (result < 0)
        return tsc_fail(&failure->err, -result, "read", "launch frame");
    reader = (struct tsc_reader){ .at = data, .end = data + size };
    flags = tsc_take_u32(&reader);
    self->contacts.owned = (flags & TSC_LAUNCH_OWNED) != 0;
    self->durable = (flags & TSC_LAUNCH_DURABLE) != 0;
    self->relay.served = (flags & TSC_LAUNCH_SERVE) != 0;
    self->relay.keeps_input = (flags & TSC_LAUNCH_STDIN) != 0;
    self->relay.input_once = (flags & TSC_LAUNCH_STDIN_ONCE) != 0;
    self->relay.held = (flags & TSC_LAUNCH_HOLD) != 0;
    self->process_file = tsc_take_string(&reader);
    self->exit_file = tsc_take_string(&reader);
    self->oom_file = tsc_take_string(&reader);
    tsc_log_take(&self->relay.log, &reader);
    tsc_restart_take(&self->restart, &reader);
    tsc_journal_take(&self->journal, &reader);
    plan = tsc_take_bytes(&reader);
    if (reader.bad || reader.at != reader.end)
        return tsc_fail(&failure->err, EPROTO, "control", "malformed launch frame");
    return tsc_plan_decode(&self->plan, plan.data, plan.size, &failure->err);
}

static int report_started(struct supervisor *self, struct tsc_failure *failure)
{
    uint64_t ticks = tsc_start_ticks(self->launch.child);
    struct tsc_writer frame = { .size = 0 };
    char text[128];
    int result;

    self->started = tsc_milliseconds();
    if (self->restart.count > 0 && self->exit_file[0] != '\0')
        unlink(self->exit_file); /* before there is a new process: with both, it would seem to have ended */
    result = tsc_restart_note(&self->restart, false);
    if (result < 0)
        return tsc_fail(&failure->err, -result, "write", "%s", self->restart.restart_file);
    if (self->process_file[0] != '\0') {
        snprintf(text, sizeof(text), "%d %llu %d %llu %llu\n", (int)self->launch.child, (unsigned long long)ticks,
                 (int)getpid(), (unsigned long long)tsc_now(), (unsigned long long)tsc_start_ticks(getpid()));
        result = tsc_write_record(self->process_file, text, false);
        if (result < 0)
            return tsc_fail(&failure->err, -result, "write", "%s", self->process_file);
    }
    tsc_journal_started(&self->journal, (int)self->launch.child);
    tsc_put_u32(&frame, (uint32_t)self->launch.child);
    tsc_put_u64(&frame, ticks);
    tsc_send_frame(self->control_fd, TSC_FRAME_STARTED, &frame);
    return 0;
}

static void kill_child(struct supervisor *self)
{
    if (self->exited)
        return;
    syscall(SYS_pidfd_send_signal, self->launch.child_pidfd, SIGKILL, NULL, 0);
    tsc_thaw(&self->launch);
}

/* The library has closed its side of the channel, or has died. */
static void lose_owner(struct supervisor *self)
{
    self->relay.held = false;
    if (self->contacts.owned)
        kill_child(self);
}

/* Reaps everything: orphans of a container that shares the host's PID namespace come to us as their subreaper. */
static void reap(struct supervisor *self)
{
    struct signalfd_siginfo ignored;

    while (read(self->signal_fd, &ignored, sizeof(ignored)) > 0)
        continue;
    for (;;) {
        siginfo_t info = { .si_pid = 0 };

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
            return;
        if (info.si_pid == self->launch.child) {
            self->exit = info;
            self->exited = true;
            self->exit_time = tsc_now();
        }
    }
}

/* How long to wait for the next event: what is left of the time for draining, or until memory that rests is given back. */
static int patience(const struct supervisor *self, int64_t deadline)
{
    int64_t left = deadline - tsc_milliseconds();

    if (deadline >= 0)
        return left < 0 ? 0 : (int)left;
    return self->relay.touched ? REST_MS : -1;
}

static void watch(struct supervisor *self)
{
    int64_t deadline = -1;

    for (;;) {
        struct pollfd polls[2 + TSC_RELAY_POLLS + TSC_CONTACT_POLLS] = {
            { .fd = self->signal_fd, .events = POLLIN },
            { .fd = self->launch.handed_over && !self->exited ? self->launch.child_pidfd : -1, .events = POLLIN },
        };
        bool was_listening = self->contacts.listening;
        int count;

        tsc_relay_polls(&self->relay, &self->contacts, polls + 2);
        tsc_contact_polls(&self->contacts, polls + 2 + TSC_RELAY_POLLS);
        if (self->exited && !self->relay.held) {
            if (deadline < 0)
                deadline = tsc_milliseconds() + DRAIN_MS;
            if (tsc_relay_done(&self->relay) || (tsc_milliseconds() >= deadline && !tsc_attach_blocks(&self->contacts)))
                return;
            if (tsc_milliseconds() >= deadline) { /* an attacher has had his time: the rest is for the log and the others */
                self->contacts.hurried = true;
                deadline = -1;
                continue;
            }
        }
        count = poll(polls, sizeof(polls) / sizeof(polls[0]), patience(self, deadline));
        if (count < 0 && errno != EINTR)
            return;
        if (count == 0)
            tsc_relay_rest(&self->relay);
        if (polls[0].revents != 0)
            reap(self);
        if (polls[1].revents != 0)
            self->exited = true; /* how, is for its parent to know */
        if (self->exited) /* before their output is waited for */
            tsc_kill_group(&self->launch);
        self->contacts.exited = self->exited;
        tsc_relay_work(&self->relay, &self->contacts, polls + 2, self->exited);
        tsc_contact_work(&self->contacts, polls + 2 + TSC_RELAY_POLLS);
        if (was_listening && !self->contacts.listening)
            lose_owner(self);
    }
}

/* `oom_kill N`: memory.oom_control of cgroup v1 and memory.events of v2 have the same line. */
static unsigned long count_oom_kills(const char *path)
{
    char text[1024];
    const char *line;
    ssize_t size;
    TSC_AUTO_FD fd = path[0] == '\0' ? -1 : open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    size = read(fd, text, sizeof(text) - 1);
    text[size < 0 ? 0 : size] = '\0';
    line = strstr(text, "oom_kill ");
    return line == NULL ? 0 : strtoul(line + strlen("oom_kill "), NULL, 10);
}

static void clean_up(struct supervisor *self)
{
    struct tsc_writer last = { .size = 0 };
    struct tsc_failure failure = { .section = 0 };

    tsc_plan_run(&self->plan, TSC_CLEANUP, &self->launch, true, &failure);
    tsc_put_failure(&last, &failure);
    tsc_send_frame(self->control_fd, TSC_FRAME_CLEANED, &last);
    tsc_contacts_flush(&self->contacts, FAREWELL_MS);
    tsc_remove_discarded(&self->launch);
    tsc_linger(self->control_fd);
}

static uint32_t exit_code(const struct supervisor *self)
{
    return (self->exit.si_code == CLD_EXITED ? 0 : 128u) + (uint32_t)self->exit.si_status;
}

/* Whoever watches is told how a run has ended, and with RESTARTING that it was not the last. */
static void tell_exit(struct supervisor *self, enum tsc_frame type)
{
    uint32_t number = self->exit.si_code == CLD_EXITED ? 0 : (uint32_t)self->exit.si_status;
    bool oom = count_oom_kills(self->oom_file) > self->oom_kills; /* before the cgroup goes */
    struct tsc_writer frame = { .size = 0 };
    struct tsc_writer told;

    tsc_log_tell_lost(&self->relay.log);
    if (self->exit_file[0] != '\0') {
        char text[128];

        snprintf(text, sizeof(text), "%u %u %d %llu\n", exit_code(self), number, oom ? 1 : 0,
                 (unsigned long long)self->exit_time);
        if (tsc_write_record(self->exit_file, text, self->durable) < 0)
            fprintf(stderr, "tscontainer-shim: cannot write %s\n", self->exit_file);
    }
    tsc_journal_ended(&self->journal, exit_code(self), number, oom, self->exit_time);
    tsc_put_u32(&frame, exit_code(self));
    tsc_put_u32(&frame, number);
    tsc_put_u32(&frame, oom ? 1 : 0);
    tsc_put_u64(&frame, self->exit_time);
    told = frame;
    if (type == TSC_FRAME_RESTARTING)
        tsc_put_u32(&told, self->restart.delay_ms);
    tsc_send_frame(self->control_fd, type, &told);
    tsc_attach_tell_exit(&self->contacts, &frame);
}

static int refuse(struct supervisor *self, const struct tsc_failure *failure)
{
    struct tsc_failure ignored = { .section = 0 };
    struct tsc_writer frame = { .size = 0 };

    tsc_plan_run(&self->plan, TSC_CLEANUP, &self->launch, true, &ignored);
    tsc_put_failure(&frame, failure);
    tsc_send_frame(self->control_fd, TSC_FRAME_FAILED, &frame);
    tsc_remove_discarded(&self->launch);
    tsc_linger(self->control_fd);
    return 0;
}

static void clear_launch(struct tsc_launch *launch)
{
    launch->root_fd = launch->child_pidfd = launch->cgroup_fd = launch->listen_fd = launch->go_fd = -1;
    launch->report_end = launch->terminal_fd = launch->host_time_fd = launch->host_network_fd = -1;
    launch->directory_fd = -1;
    for (size_t i = 0; i < TSC_MAX_TARGETS; i++)
        launch->targets[i] = -1;
}

/* One run of the process. A negative result: it was not started, and nothing is left of the attempt but the clean-up. */
static int run(struct supervisor *self, struct tsc_failure *failure)
{
    int stdio[3] = { 0, 1, 2 };
    int terminal = -1;

    if (tsc_relay_open(&self->relay, stdio, &failure->err) < 0)
        return -1;
    self->oom_kills = count_oom_kills(self->oom_file);
    if (tsc_launch_child(&self->launch, &self->plan, stdio, &terminal, failure) < 0)
        return -1;
    if (tsc_relay_start(&self->relay, stdio, terminal, &failure->err) < 0 || report_started(self, failure) < 0) {
        kill_child(self);
        tsc_kill_group(&self->launch);
        while (!self->exited && !self->launch.handed_over)
            reap(self);
        return -1;
    }
    if (self->restart.count == 0)
        tsc_contacts_open(&self->contacts, self->control_fd);
    watch(self);
    return 0;
}

/* Everything of the run before is gone; what the supervisor was told at the beginning stays. */
static void forget_run(struct supervisor *self)
{
    unsigned above = (unsigned)self->signal_fd + 1;

    tsc_contacts_forget(&self->contacts);
    if (self->signal_fd > TSC_CONTROL_FD + 1)
        syscall(SYS_close_range, TSC_CONTROL_FD + 1u, above - 2, 0);
    syscall(SYS_close_range, above, ~0u, 0);
    free(self->launch.ports);
    self->launch = (struct tsc_launch){ .child = 0 };
    clear_launch(&self->launch);
    tsc_relay_forget(&self->relay);
    self->exited = self->contacts.exited = self->contacts.hurried = false;
}

/* Starts it again after a pause, and once more after the next if that fails. False: it is over. */
static bool run_again(struct supervisor *self)
{
    struct tsc_failure failure = { .section = TSC_PREPARE, .index = TSC_NO_OPERATION };
    struct tsc_failure ignored = { .section = 0 };

    if (tsc_restart_note(&self->restart, true) < 0)
        return false;
    tell_exit(self, TSC_FRAME_RESTARTING);
    tsc_plan_run(&self->plan, TSC_CLEANUP, &self->launch, true, &ignored);
    tsc_contacts_flush(&self->contacts, FAREWELL_MS);
    tsc_close_p(&self->launch.listen_fd);
    if (!tsc_restart_pause(&self->restart, &self->contacts)) {
        tsc_restart_note(&self->restart, false);
        return false;
    }
    forget_run(self);
    self->restart.count++;
    self->restart.failure[0] = '\0';
    if (run(self, &failure) == 0)
        return true;
    snprintf(self->restart.failure, sizeof(self->restart.failure), "%s %s: %s\n", failure.err.op, failure.err.detail,
             strerror(failure.err.errnum));
    self->exited = true;
    self->exit = (siginfo_t){ .si_code = CLD_EXITED, .si_status = NOT_STARTED };
    self->exit_time = tsc_now();
    self->started = tsc_milliseconds();
    return true;
}

static int launch_and_watch(struct supervisor *self, struct tsc_failure *failure)
{
    if (receive_launch(self, failure) < 0 || run(self, failure) < 0)
        return refuse(self, failure);
    if (!self->launch.handed_over) {
        while (tsc_restart_wanted(&self->restart, exit_code(self), tsc_milliseconds() - self->started) && run_again(self))
            continue;
        tell_exit(self, TSC_FRAME_EXITED);
    }
    clean_up(self);
    return 0;
}

int tsc_supervise(int signal_fd)
{
    static struct supervisor self = { .control_fd = TSC_CONTROL_FD };
    struct tsc_failure failure = { .section = TSC_PREPARE, .index = TSC_NO_OPERATION };

    clear_launch(&self.launch);
    self.contacts.launch = &self.launch;
    self.contacts.relay = &self.relay;
    self.signal_fd = signal_fd;
    return launch_and_watch(&self, &failure);
}

int tsc_role_supervise(int argc, char **argv)
{
    static struct supervisor none = { .control_fd = TSC_CONTROL_FD };
    struct tsc_failure failure = { .section = TSC_PREPARE, .index = TSC_NO_OPERATION };
    int signal_fd = -1;

    (void)argc;
    (void)argv;
    if (tsc_harden_process(&failure.err) == 0)
        signal_fd = tsc_become_supervisor(&failure.err);
    return signal_fd < 0 ? refuse(&none, &failure) : tsc_supervise(signal_fd);
}
