import { EngineError } from '../core/errors/engine-error.js';

/** Ids become file names. @throws EngineError `INVALID_OPTION`. */
export function checkContainerId(id: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(id)) return;
  throw new EngineError('INVALID_OPTION', {
    option: 'containerId',
    expected: 'letters, digits, dots, dashes and underscores',
    got: JSON.stringify(id),
  });
}
