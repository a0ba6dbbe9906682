import type { ExitStatus } from '../core/exit-status.js';
import type { ProcessIdentity } from '../core/process-identity.js';

/** When a process that has ended is started again. */
export interface RestartPolicy {
  /** `on-failure`: when its exit code is not 0. */
  readonly policy: 'always' | 'on-failure';
  /** So often at most, with `on-failure`; 0 is without end. */
  readonly maxRetries: number;
}

/** What a supervisor needs to start a process again, alone if need be. */
export interface RestartRequest extends RestartPolicy {
  /** While this file exists nothing is started again, and a pause ends for good: the process was ended on purpose. */
  readonly stopFile: string;
  /**
   * Gets `COUNT NANOSECONDS`: how often it was started again, and when the next start is due (since 1970); 0 while none is.
   */
  readonly restartFile: string;
  /** A run has ended, and after `delayMs` there is another. */
  readonly onExit?: (exit: ExitStatus, delayMs: number) => void;
  /** It runs again. */
  readonly onStart?: (identity: ProcessIdentity) => void;
}

/** Docker's: the pause doubles from one to the next, and is the first again after a run that was long enough. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 60_000;
const LONG_RUN_MS = 10_000;

/** Whether a process that ended like this may be started again, if nobody has stopped it. */
export function wantsRestart({ policy, maxRetries }: RestartPolicy, exitCode: number, restarts: number): boolean {
  if (policy === 'always') return true;
  return exitCode !== 0 && (maxRetries === 0 || restarts < maxRetries);
}

/** The pause before the next start, in milliseconds; `lastMs` is undefined for the first. */
export function restartPause(lastMs: number | undefined, runMs: number): number {
  if (lastMs === undefined || runMs >= LONG_RUN_MS) return FIRST_PAUSE_MS;
  return Math.min(lastMs * 2, LONGEST_PAUSE_MS);
}
