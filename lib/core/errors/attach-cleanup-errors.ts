import { EngineError } from './engine-error.js';

/** Lists `failures` of clean-up work on `primary`, which stays the error that is thrown. */
export function attachCleanupErrors(primary: unknown, failures: readonly unknown[]): void {
  if (failures.length > 0 && EngineError.is(primary)) {
    primary.cleanupErrors = [...primary.cleanupErrors, ...failures];
  }
}
