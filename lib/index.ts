export { EngineError, type ErrorCode, type ErrorData } from './core/errors/engine-error.js';
export type { ErrorKind } from './core/errors/error-definition.js';
