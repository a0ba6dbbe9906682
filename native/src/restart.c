#include "restart.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>

/* Docker's: doubled from one to the next, and begun anew after a run that was long enough. */
#define FIRST_PAUSE_MS 100u
#define LONGEST_PAUSE_MS 60000u
#define LONG_RUN_MS 10000

void tsc_restart_take(struct tsc_restart *restart, struct tsc_reader *reader)
{
    restart->policy = tsc_take_u32(reader);
    restart->retries = tsc_take_u32(reader);
    restart->stop_file = tsc_take_string(reader);
    restart->restart_file = tsc_take_string(reader);
    if (restart->policy > TSC_RESTART_ON_FAILURE ||
        (restart->policy != TSC_RESTART_NO && (restart->stop_file[0] == '\0' || restart->restart_file[0] == '\0')))
        reader->bad = true;
}

bool tsc_restart_wanted(struct tsc_restart *restart, uint32_t exit_code, int64_t run_ms)
{
    if (restart->policy == TSC_RESTART_NO || access(restart->stop_file, F_OK) == 0)
        return false;
    if (restart->policy == TSC_RESTART_ON_FAILURE &&
        (exit_code == 0 || (restart->retries > 0 && restart->count >= restart->retries)))
        return false;
    if (restart->delay_ms == 0 || run_ms >= LONG_RUN_MS)
        restart->delay_ms = FIRST_PAUSE_MS;
    else
        restart->delay_ms = restart->delay_ms * 2 > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : restart->delay_ms * 2;
    return true;
}

int tsc_restart_note(const struct tsc_restart *restart, bool pausing)
{
    uint64_t due = pausing ? tsc_now() + (uint64_t)restart->delay_ms * 1000000u : 0;
    char text[64 + sizeof(restart->failure)];

    if (restart->policy == TSC_RESTART_NO)
        return 0;
    snprintf(text, sizeof(text), "%u %llu\n%s", restart->count, (unsigned long long)due, restart->failure);
    return tsc_write_record(restart->restart_file, text, false);
}

/* Tells when something appears beside the stop file; -1: cannot, then the file is looked for after the pause only. */
static int watch_directory(const char *file)
{
    const char *slash = strrchr(file, '/');
    char directory[4096];
    int fd;

    if (slash == NULL || (size_t)(slash - file) >= sizeof(directory))
        return -1;
    snprintf(directory, sizeof(directory), "%.*s", (int)(slash - file), file);
    fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd >= 0 && inotify_add_watch(fd, directory, IN_CREATE | IN_MOVED_TO) < 0)
        tsc_close_p(&fd);
    return fd;
}

bool tsc_restart_pause(const struct tsc_restart *restart, struct tsc_contacts *contacts)
{
    TSC_AUTO_FD watch = watch_directory(restart->stop_file);
    int64_t deadline = tsc_milliseconds() + restart->delay_ms;
    char events[4096];

    for (;;) {
        struct pollfd polls[1 + TSC_CONTACT_POLLS] = { { .fd = watch, .events = POLLIN } };
        int64_t left = deadline - tsc_milliseconds();

        tsc_contact_polls(contacts, polls + 1);
        if (access(restart->stop_file, F_OK) == 0 || (contacts->owned && !contacts->listening))
            return false;
        if (left <= 0)
            return true;
        if (poll(polls, sizeof(polls) / sizeof(polls[0]), (int)left) <= 0)
            continue;
        while (polls[0].revents != 0 && read(watch, events, sizeof(events)) > 0)
            continue;
        tsc_contact_work(contacts, polls + 1);
    }
}
