import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { isMissing } from '../util/file-error.js';

/** The end of a container that was killed together with its supervisor is no event of its files, hence the second look. */
const LOOK_AGAIN_MS = 250;

/** Tells when something has happened to the files of a log. */
export class LogWatch {
  readonly #watcher: FSWatcher | undefined;
  readonly #signal: AbortSignal | undefined;
  #changed = false;
  #wake: () => void = () => undefined;

  constructor(prefix: string, signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.#watcher = watchDirectory(dirname(prefix));
    this.#watcher?.on('change', this.#stir);
    this.#watcher?.on('error', this.#stir); // whoever looks again sees what is wrong
    signal?.addEventListener('abort', this.#stir, { once: true });
  }

  readonly #stir = (): void => {
    this.#changed = true;
    this.#wake();
  };

  /** Resolves when something has happened since the last call, or a while has passed. Rejects on abort. */
  async changed(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (!this.#changed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_AGAIN_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = () => undefined;
    this.#changed = false;
    this.#signal?.throwIfAborted();
  }

  close(): void {
    this.#watcher?.close();
    this.#signal?.removeEventListener('abort', this.#stir);
    this.#wake();
  }
}

function watchDirectory(path: string): FSWatcher | undefined {
  try {
    return watch(path);
  } catch (error) {
    if (isMissing(error)) return undefined; // removed in this moment
    throw error;
  }
}
