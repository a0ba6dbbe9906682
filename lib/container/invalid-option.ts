import { EngineError } from '../core/errors/engine-error.js';

/** The error for an option whose value makes no sense. */
export function invalidOption(option: string, expected: string, got: unknown): EngineError {
  const text = typeof got === 'string' ? got : (JSON.stringify(got) ?? String(got));
  return new EngineError('INVALID_OPTION', { option, expected, got: text.slice(0, 200) });
}
