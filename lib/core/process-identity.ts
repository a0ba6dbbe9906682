/** A process for ever: a pid alone is reused. `startTicks` is field 22 of /proc/PID/stat. @see proc(5) */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: bigint;
}
