import { type FSWatcher, watch } from 'node:fs';
import { isMissing } from './file-error.js';
import { LONGEST_TIMER_MS } from './longest-timer.js';

/** Tells when something has happened in directories. Somebody who waits keeps this Node process alive. */
export class DirectoryWatch {
  readonly #watchers: readonly FSWatcher[];
  readonly #signal: AbortSignal | undefined;
  #changed = false;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  /** @param directories - those that are missing are passed over: they were removed in this moment. */
  constructor(directories: readonly string[], signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.#watchers = directories.flatMap((each) => watchDirectory(each) ?? []);
    for (const each of this.#watchers) {
      each.on('change', this.#stir);
      each.on('error', (error) => {
        this.#failure = error;
        this.#stir();
      });
    }
    signal?.addEventListener('abort', this.#stir, { once: true });
  }

  /** Why nothing more is told; who looks again from time to time need not care. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  readonly #stir = (): void => {
    this.#changed = true;
    this.#wake();
  };

  /** Resolves when something has happened since the last call, or the time has passed. Rejects on abort. */
  async changed(withinMs = LONGEST_TIMER_MS): Promise<void> {
    this.#signal?.throwIfAborted();
    if (!this.#changed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(withinMs, LONGEST_TIMER_MS));
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
    if (isMissing(error)) return undefined;
    throw error;
  }
}
