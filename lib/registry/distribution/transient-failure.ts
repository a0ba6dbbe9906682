import type { EngineError } from '../../core/errors/engine-error.js';

/** An answer that may be better next time. Inside this folder only: users see `failure`. */
export class TransientFailure extends Error {
  constructor(
    readonly failure: EngineError,
    /** What the server asked to wait. */
    readonly retryAfterMs: number | undefined,
  ) {
    super(failure.message);
  }
}
