import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { EngineError } from '../core/errors/engine-error.js';
import { isMissing } from '../util/file-error.js';

/**
 * Opens a file of a log; undefined when it is not there (any more). A name could lead elsewhere only if somebody has
 * tampered with the directory: nothing but a file is opened.
 *
 * @throws EngineError `CORRUPT_RECORD`.
 */
export function openLog(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new EngineError('CORRUPT_RECORD', { path, expected: 'a log file' }, { cause: error });
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new EngineError('CORRUPT_RECORD', { path, expected: 'a log file' });
}
