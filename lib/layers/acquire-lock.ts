import type { Abortable } from '../core/abortable.js';

export interface AcquireLockOptions extends Abortable {
  /** How long to wait for other holders, in milliseconds. 0 tries once. Default: for ever. */
  readonly timeoutMs?: number;
}

/**
 * Locks the file at `path` (made if missing) against every other holder, in this process and others, until it is
 * disposed of or the process ends. The holder may remove the file.
 *
 * @throws EngineError `LOCK_TIMEOUT`; the reason of `signal`.
 */
export type AcquireLock = (path: string, options?: AcquireLockOptions) => Promise<AsyncDisposable>;
