import { type FSWatcher, watch } from 'node:fs';
import { isMissing } from '../util/file-error.js';

/** The end of a container that was killed together with its supervisor is no event of its files, hence the second look. */
const LOOK_AGAIN_MS = 250;

/** Tells when something has happened in the directories of a container's log and of its exit. */
export class LogWatch {
  readonly #watchers: readonly FSWatcher[];
  readonly #signal: AbortSignal | undefined;
  #changed = false;
  #wake: () => void = () => undefined;

  constructor(directories: readonly string[], signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.#watchers = directories.flatMap((each) => watchDirectory(each) ?? []);
    for (const each of this.#watchers) {
      each.on('change', this.#stir);
      each.on('error', this.#stir); // whoever looks again sees what is wrong
    }
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
    for (const each of this.#watchers) each.close();
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
