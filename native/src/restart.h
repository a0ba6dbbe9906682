/*
 * Whether, and when, a process that has ended is started again by its supervisor, with nobody else alive.
 *
 * In a launch frame:  u TSC_RESTART_… · u retries (0: without end) · s stop file · s restart file
 *
 *   stop file     while there is one, nothing is started again: somebody has ended the process on purpose
 *   restart file  gets `COUNT NANOSECONDS`: restarts so far, and when the next one is due (since 1970); 0 while none is.
 *                 A second line says why the last start failed, if it did
 */
#ifndef TSC_RESTART_H
#define TSC_RESTART_H

#include "contact.h"

#define TSC_RESTART_NO 0u
#define TSC_RESTART_ALWAYS 1u
#define TSC_RESTART_ON_FAILURE 2u /* when the exit code is not 0 */

struct tsc_restart {
    uint32_t policy;
    uint32_t retries;
    const char *stop_file;
    const char *restart_file;
    uint32_t count;
    uint32_t delay_ms; /* the next pause */
    char failure[384]; /* of the last start; "" if it did not fail */
};

void tsc_restart_take(struct tsc_restart *restart, struct tsc_reader *reader);
/* After a run of so many milliseconds; sets the pause. */
bool tsc_restart_wanted(struct tsc_restart *restart, uint32_t exit_code, int64_t run_ms);
/* Writes the restart file, with the time when `delay_ms` will be over, or 0. */
int tsc_restart_note(const struct tsc_restart *restart, bool pausing);
/* Lets the pause pass. False: somebody has ended it for good, or the owner of the process has gone. */
bool tsc_restart_pause(const struct tsc_restart *restart, struct tsc_contacts *contacts);

#endif
