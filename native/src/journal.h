/*
 * Tells starts and ends of a process to everybody: a line of JSON each, at the end of a file that many write to.
 *
 * In a launch frame:  s journal file ("": none) · s subject: members of a JSON object that say whose start or end it is
 *
 *   line = LF {"time":MICROSECONDS,"action":"start","pid":N,SUBJECT} LF
 *   line = LF {"time":MICROSECONDS,"action":"die","exitCode":N,"signal":N,"oomKilled":0|1,"finishedAt":MICROSECONDS,SUBJECT} LF
 *
 * The line feed before it keeps a line whole when the one before was cut by a full disk. A file of TSC_JOURNAL_MAX bytes gets
 * another name (`.1` at its end), in place of the one that had it.
 */
#ifndef TSC_JOURNAL_H
#define TSC_JOURNAL_H

#include "plan.h"

#define TSC_JOURNAL_MAX (4 * 1024 * 1024)

struct tsc_journal {
    const char *file;
    const char *subject;
    uint64_t told; /* the time of the last end: a stop in the pause after it ends it again */
};

void tsc_journal_take(struct tsc_journal *journal, struct tsc_reader *reader);
void tsc_journal_started(const struct tsc_journal *journal, int pid);
void tsc_journal_ended(struct tsc_journal *journal, uint32_t code, uint32_t number, bool oom, uint64_t time);

#endif
