import { closeSync, openSync } from 'node:fs';
import { delay } from './abort.js';
import type { FileLocker } from './file-lock.js';

const LONGEST_PAUSE_MS = 20;

/**
 * The shared side of a lock file that many short pieces of work of this process hold at once: one descriptor, locked
 * while at least one of them runs. The file itself must stay where it is.
 */
export class SharedLock {
  #fd: number | undefined;
  #holders = 0;
  #locking: Promise<void> | undefined;

  constructor(
    private readonly locker: FileLocker,
    private readonly path: string,
  ) {}

  async hold<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    this.#holders += 1;
    try {
      if (this.#holders === 1 || this.#locking !== undefined) {
        this.#locking ??= this.#lock().finally(() => {
          this.#locking = undefined;
        });
        await this.#locking;
      }
      signal?.throwIfAborted();
      return await work();
    } finally {
      this.#holders -= 1;
      if (this.#holders === 0 && this.#fd !== undefined) this.locker.unlock(this.#fd);
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  async #lock(): Promise<void> {
    this.#fd ??= openSync(this.path, 'a', 0o600);
    for (let pauseMs = 1; !this.locker.tryLock(this.#fd, 'shared'); pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      await delay(pauseMs);
    }
  }
}
