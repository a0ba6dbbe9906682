import { constants } from 'node:os';
import koffi from 'koffi';
import type { FileLocker } from '#lib/util/file-lock.js';

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

/** flock(2) itself, for tests with several processes. */
export function libcFileLocker(): FileLocker {
  const flock: (fd: number, operation: number) => number = koffi.load(null).func('int flock(int fd, int operation)');
  return {
    tryLock: (fd, mode) => {
      if (flock(fd, (mode === 'shared' ? LOCK_SH : LOCK_EX) | LOCK_NB) === 0) return true;
      if (koffi.errno() === constants.errno.EWOULDBLOCK) return false;
      throw new Error(`flock: errno ${koffi.errno()}`);
    },
    unlock: (fd) => {
      if (flock(fd, LOCK_UN) !== 0) throw new Error(`flock: errno ${koffi.errno()}`);
    },
  };
}
