/**
 * A file in which supervisors tell starts and ends, whoever else is alive; others write to it, too. A line is an object of JSON:
 *
 *     {"time":MICROSECONDS,"action":"start","pid":N,SUBJECT}
 *     {"time":MICROSECONDS,"action":"die","exitCode":N,"signal":N,"oomKilled":0|1,"finishedAt":MICROSECONDS,SUBJECT}
 *
 * `start` is there when a launch resolves, `die` when its exit is known. See native/src/journal.h for rotation.
 */
export interface ProcessJournal {
  readonly file: string;
  /** Members of an object of JSON that say whose start or end it is: `"id":"…","name":"…"`. */
  readonly subject: string;
}
