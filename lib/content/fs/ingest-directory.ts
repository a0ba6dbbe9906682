import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import { isMissing, onFile } from '../../util/file-error.js';
import { acquireFileLock, type FileLocker } from '../../util/file-lock.js';
import { namesIn } from './names-in.js';

/** What files begin with that are of no use to another process. */
export const temporaryPrefix = 'put-';

/** What is not complete yet: each file is locked by the process that writes it, as long as it lives. */
export class IngestDirectory {
  readonly #path: string;
  readonly #locker: FileLocker;

  constructor(path: string, locker: FileLocker) {
    this.#path = path;
    this.#locker = locker;
  }

  /** Bytes of partial downloads. */
  async partialBytes(): Promise<number> {
    let bytes = 0;
    for (const name of await this.#partials()) bytes += (await statOf(join(this.#path, name)))?.size ?? 0;
    return bytes;
  }

  /** Removes partial downloads that nobody writes and that were last written so long ago. Returns their bytes. */
  async removePartials(olderThanMs: number): Promise<number> {
    let freed = 0;
    for (const name of await this.#partials()) freed += await this.#remove(join(this.#path, name), olderThanMs);
    return freed;
  }

  /** Removes what writers that have ended left behind. */
  async removeTemporary(): Promise<void> {
    const names = await namesIn(this.#path);
    for (const name of names.filter((each) => each.startsWith(temporaryPrefix))) {
      await this.#remove(join(this.#path, name), 0);
    }
  }

  async #partials(): Promise<readonly string[]> {
    return (await namesIn(this.#path)).filter((name) => !name.startsWith(temporaryPrefix));
  }

  async #remove(path: string, olderThanMs: number): Promise<number> {
    const isOld = (stats: { readonly mtimeMs: number } | undefined): boolean =>
      stats !== undefined && Math.max(0, Date.now() - stats.mtimeMs) >= olderThanMs; // clocks go back, if by a fraction
    // Locking makes a file that is missing: what is not wanted anyway is not touched.
    if (!isOld(await statOf(path))) return 0;
    try {
      await using lock = await onFile(path, () => acquireFileLock(this.#locker, path, { timeoutMs: 0 }));
      const stats = await onFile(path, () => lock.file.stat());
      if (stats.size > 0 && !isOld(stats)) return 0;
      await onFile(path, () => rm(path, { force: true }));
      return stats.size;
    } catch (error) {
      if (EngineError.is(error, 'LOCK_TIMEOUT')) return 0; // somebody is writing it
      throw error;
    }
  }
}

async function statOf(path: string): Promise<{ readonly size: number; readonly mtimeMs: number } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined; // complete, or given up, in this moment
    return onFile(path, () => Promise.reject(error));
  }
}
