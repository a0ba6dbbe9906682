/** How a process ended. A non-zero exit is a result, not an error. */
export interface ExitStatus {
  /** 0…255; 128 + signal number for a process that a signal has ended, as shells say it. */
  readonly exitCode: number;
  /** The signal's name, e.g. `SIGKILL`; undefined when the process ended by itself. */
  readonly signal: string | undefined;
  /** True when the kernel has killed a process of the container for its memory limit while this one ran. */
  readonly oomKilled: boolean;
  readonly finishedAt: Date;
}
