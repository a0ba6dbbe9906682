import { type FSWatcher, watch } from 'node:fs';
import { isMissing } from './file-error.js';

/**
 * Looks until there is something to see: now, after each change in `directory`, and every `lookAgainMs`, for what is no change
 * of a file. Meanwhile this Node process stays alive, since somebody is waiting.
 *
 * @returns what `look` has returned other than undefined; undefined when the directory does not exist.
 * @throws what `look` throws, the reason of `signal`.
 */
export async function watchUntil<T>(
  directory: string,
  look: () => T | undefined,
  { lookAgainMs, signal }: { readonly lookAgainMs: number; readonly signal?: AbortSignal | undefined },
): Promise<T | undefined> {
  signal?.throwIfAborted();
  const watcher = watchDirectory(directory);
  if (watcher === undefined) return undefined;
  return new Promise<T>((resolve, reject) => {
    const settle = (act: () => void): void => {
      watcher.close();
      clearInterval(timer);
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    const tryLook = (): void => {
      try {
        const seen = look();
        if (seen !== undefined) settle(() => resolve(seen));
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    watcher.on('change', tryLook);
    watcher.on('error', (error) => settle(() => reject(error)));
    const timer = setInterval(tryLook, lookAgainMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    tryLook();
  });
}

function watchDirectory(directory: string): FSWatcher | undefined {
  try {
    return watch(directory);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
