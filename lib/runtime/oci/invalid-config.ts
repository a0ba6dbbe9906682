import { EngineError } from '../../core/errors/engine-error.js';

/** @throws EngineError `INVALID_OCI_CONFIG`, always. */
export function invalidConfig(path: string, reason: string): never {
  throw new EngineError('INVALID_OCI_CONFIG', { path, reason });
}
