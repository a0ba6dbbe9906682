import type { PathLock } from '#lib/network/path-lock.js';
import { KeyedLock } from '#lib/util/keyed-lock.js';

/** A path lock for tests in which one process does everything. */
export function inProcessLock(): PathLock {
  const lock = new KeyedLock<string>();
  return { withLock: (path, work) => lock.run(path, work) };
}
