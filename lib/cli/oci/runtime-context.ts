import type { Log } from './log.js';

/** What the options before the command have decided. */
export interface RuntimeContext {
  /** Holds one directory for each container. */
  readonly root: string;
  /** cgroupsPath has systemd's form. */
  readonly systemdCgroup: boolean;
  /** Containers get no cgroup. */
  readonly cgroupsDisabled: boolean;
  readonly log: Log;
}

/** One command of the runtime: gets the words behind its name and gives the exit code. */
export type Command = (context: RuntimeContext, words: readonly string[]) => Promise<number>;
