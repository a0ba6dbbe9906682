import { orAbort } from './abort.js';

/** What `source` yields, until `signal` aborts: then it throws the reason at once, even if the source hangs. */
export async function* abortableIterable<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  let complete = false;
  try {
    for (;;) {
      const next = await orAbort(iterator.next(), signal);
      if (next.done === true) break;
      yield next.value;
    }
    complete = true;
  } finally {
    // A source that hangs would not answer before its pending step, so nobody waits for it.
    if (!complete) iterator.return?.().catch(() => undefined);
  }
}
