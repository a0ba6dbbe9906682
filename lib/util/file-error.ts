import { EngineError } from '../core/errors/engine-error.js';
import { hasErrno } from './errno.js';

/**
 * A failure of Node's file functions as EngineError: `NO_SPACE`, `SYSTEM_CALL_FAILED`. Anything else stays as it is.
 *
 * @param path - default: the one that the failure itself names.
 */
export function toFileError(error: unknown, path?: string): unknown {
  if (EngineError.is(error) || typeof error !== 'object' || error === null) return error;
  const { code, syscall, path: named = '' } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new EngineError('NO_SPACE', { path: path ?? named }, { cause: error });
  if (code === undefined || syscall === undefined) return error;
  const hint = hints[code] ?? '';
  return new EngineError(
    'SYSTEM_CALL_FAILED',
    { syscall, errno: code, operand: path ?? named, hint },
    { cause: error },
  );
}

const hints: Readonly<Record<string, string>> = {
  EMFILE: 'this process has too many open files: raise RLIMIT_NOFILE',
  ENFILE: 'the host has too many open files',
};

/** Runs `work` on the file at `path`; failures of the system become EngineErrors that name it. */
export async function onFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toFileError(error, path);
  }
}

/** The same where no single file is worked on: what fails names its own. */
export async function withTypedFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toFileError(error);
  }
}

/** True for the error of a file that is not there. */
export const isMissing = (error: unknown): boolean => hasErrno(error, 'ENOENT');
