/** Mutual exclusion between all processes that use the same path. */
export interface PathLock {
  /** Runs `work` while no other process or caller holds the lock of `path`, a file that is made if it is missing. */
  withLock<T>(path: string, work: () => Promise<T>): Promise<T>;
}
