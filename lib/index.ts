export { EngineError, type ErrorCode, type ErrorData } from './core/errors/engine-error.js';
