import { fstatSync } from 'node:fs';
import type { FileLocker } from '#lib/util/file-lock.js';

/** Locks of this process only, with the semantics of flock(2), except that closing a file does not unlock it. */
export function memoryFileLocker(): FileLocker {
  const holders = new Map<string, Map<number, 'shared' | 'exclusive'>>();
  const keyOf = (fd: number): string => {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return `${dev}:${ino}`;
  };
  return {
    tryLock: (fd, mode) => {
      const key = keyOf(fd);
      const held = holders.get(key) ?? new Map<number, 'shared' | 'exclusive'>();
      const others = [...held].filter(([other]) => other !== fd);
      if (others.some(([, theirs]) => theirs === 'exclusive' || mode === 'exclusive')) return false;
      holders.set(key, held.set(fd, mode));
      return true;
    },
    unlock: (fd) => {
      const held = holders.get(keyOf(fd));
      held?.delete(fd);
    },
  };
}
