import { DirectoryWatch } from './directory-watch.js';

/**
 * Looks until there is something to see: now, after each change in `directory`, and every `lookAgainMs`, for what is no change
 * of a file, or when the directory has gone.
 *
 * @returns what `look` has returned other than undefined.
 * @throws what `look` throws, the reason of `signal`.
 */
export async function watchUntil<T>(
  directory: string,
  look: () => T | undefined,
  { lookAgainMs, signal }: { readonly lookAgainMs: number; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  signal?.throwIfAborted();
  const watch = new DirectoryWatch([directory], signal);
  try {
    for (;;) {
      const seen = look();
      if (seen !== undefined) return seen;
      await watch.changed(lookAgainMs);
      if (watch.failure !== undefined) throw watch.failure;
    }
  } finally {
    watch.close();
  }
}
