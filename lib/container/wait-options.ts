import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';

/**
 * What of a container is waited for.
 *
 * - `not-running`: that it has ended for good; at once when it has. With a restart policy: that it is not started again.
 * - `next-exit`: that a run ends, the one that is going on now or the next one; each run by a restart policy is one.
 * - `removed`: that it was removed; at once when it has been.
 */
export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

const waitConditions: readonly WaitCondition[] = ['not-running', 'next-exit', 'removed'];

/** What is waited for. */
export interface WaitOptions extends Abortable {
  /** Default `not-running`. */
  readonly condition?: WaitCondition;
}

/** The same without the removal: there is always an exit. */
export interface RunWaitOptions extends WaitOptions {
  /** Default `not-running`. */
  readonly condition?: Exclude<WaitCondition, 'removed'>;
}

/** @throws EngineError `INVALID_OPTION`. */
export function waitConditionOf({ condition = 'not-running' }: WaitOptions): WaitCondition {
  if (waitConditions.includes(condition)) return condition;
  const expected = waitConditions.join(', ');
  throw new EngineError('INVALID_OPTION', { option: 'condition', expected, got: String(condition) });
}
