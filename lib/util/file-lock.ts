import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import { delay } from './abort.js';
import { isMissing } from './file-error.js';

/** The two calls of the Kernel port that locks need. @see flock(2) */
export interface FileLocker {
  /** False when another holder is in the way. */
  tryLock(fd: number, mode: 'shared' | 'exclusive'): boolean;
  unlock(fd: number): void;
}

export interface FileLockOptions extends Abortable {
  /** Default `'exclusive'`. */
  readonly mode?: 'shared' | 'exclusive';
  /** How long to wait for other holders. 0 tries once. Default: for ever. */
  readonly timeoutMs?: number;
}

/** A lock that is held. The kernel releases it when the process ends, however it ends. */
export interface FileLock extends AsyncDisposable {
  /** The locked file, open for reading and appending. */
  readonly file: FileHandle;
  /** Unlocks and closes the file; safe to call twice. */
  release(): Promise<void>;
}

const longestPauseMs = 50;

/**
 * Locks the file at `path`, which is made (mode 0600) if missing, against other processes and other holders in this
 * one. A holder may remove or rename the file: who gets the lock then, gets it on the file that is at `path` now.
 *
 * @throws EngineError `LOCK_TIMEOUT`; errors of open(2) as the system reports them.
 */
export async function acquireFileLock(
  locker: FileLocker,
  path: string,
  options: FileLockOptions = {},
): Promise<FileLock> {
  const deadline = options.timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const file = await open(path, 'a+', 0o600);
    try {
      await waitForLock(locker, file, path, deadline, options);
      if (await isStillAt(file, path)) return toLock(locker, file);
      locker.unlock(file.fd);
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}

async function waitForLock(
  locker: FileLocker,
  file: FileHandle,
  path: string,
  deadline: number,
  options: FileLockOptions,
): Promise<void> {
  for (let pauseMs = 1; !locker.tryLock(file.fd, options.mode ?? 'exclusive'); pauseMs *= 2) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) throw new EngineError('LOCK_TIMEOUT', { path, timeoutMs: options.timeoutMs ?? 0 });
    await delay(Math.min(pauseMs, longestPauseMs, leftMs), options.signal);
  }
}

async function isStillAt(file: FileHandle, path: string): Promise<boolean> {
  const held = await file.stat({ bigint: true });
  try {
    const there = await stat(path, { bigint: true });
    return there.ino === held.ino && there.dev === held.dev;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function toLock(locker: FileLocker, file: FileHandle): FileLock {
  let released: Promise<void> | undefined;
  const release = (): Promise<void> => {
    released ??= (async () => {
      try {
        locker.unlock(file.fd);
      } finally {
        await file.close();
      }
    })();
    return released;
  };
  return { file, release, [Symbol.asyncDispose]: release };
}
