import { open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import koffi from 'koffi';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { AcquireLock } from '#lib/layers/acquire-lock.js';

const flock = koffi.load('libc.so.6').func('int flock(int fd, int operation)');
const exclusiveNow = 2 | 4; // LOCK_EX | LOCK_NB

/** Locks by flock(2), so that processes of one test exclude each other like engines do. */
export const flockLock: AcquireLock = async (path, { signal, timeoutMs } = {}) => {
  const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  signal?.throwIfAborted();
  const file = await open(path, 'a+', 0o600);
  try {
    while (flock(file.fd, exclusiveNow) !== 0) {
      if (performance.now() >= deadline) throw new EngineError('LOCK_TIMEOUT', { path, timeoutMs: timeoutMs ?? 0 });
      await pause(2, undefined, { signal });
    }
  } catch (error) {
    await file.close();
    throw signal?.aborted ? signal.reason : error;
  }
  return { [Symbol.asyncDispose]: () => file.close() };
};
