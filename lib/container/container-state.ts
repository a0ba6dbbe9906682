import type { ExitStatus } from '../core/exit-status.js';
import type { ProcessIdentity } from '../core/process-identity.js';

/** Where a container stands. */
export type ContainerState =
  | { readonly status: 'created' }
  | { readonly status: 'running' | 'paused'; readonly process: ProcessIdentity; readonly startedAt: Date }
  | {
      /** Its supervisor starts it again at that time. */
      readonly status: 'restarting';
      readonly exit: ExitStatus;
      /** Of the last run. */
      readonly process: ProcessIdentity;
      readonly startedAt: Date;
      readonly nextStartAt: Date;
    }
  | { readonly status: 'exited'; readonly exit: ExitStatus; readonly startedAt: Date | undefined };

/** `created`, `running`, `paused`, `restarting` or `exited`. */
export type ContainerStatus = ContainerState['status'];
