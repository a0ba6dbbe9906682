import type { Descriptor } from '../core/descriptor.js';
import { orAbort } from '../util/abort.js';
import type { IngestOptions } from './content-store.js';

interface Running {
  readonly done: Promise<void>;
  readonly listeners: Set<(doneBytes: number) => void>;
}

const progressIntervalMs = 100;

/**
 * Lets one of several concurrent callers ingest a blob while the others wait. When it fails or is aborted, one of the
 * others goes on with its own source: nobody gets an error that belongs to somebody else.
 */
export class SharedIngests {
  readonly #running = new Map<string, Running>();

  async run(
    { digest, size }: Descriptor,
    options: IngestOptions,
    work: (report: (doneBytes: number) => void) => Promise<void>,
  ): Promise<void> {
    const key = `${digest} ${size}`; // who believes in another size gets an error of its own
    const listen = throttled(options.onProgress, size);
    for (;;) {
      options.signal?.throwIfAborted();
      const running = this.#running.get(key);
      if (running === undefined) return this.#lead(key, listen, work);
      if (await follow(running, listen, options.signal)) return;
    }
  }

  async #lead(
    key: string,
    listen: (doneBytes: number) => void,
    work: (report: (doneBytes: number) => void) => Promise<void>,
  ): Promise<void> {
    const listeners = new Set([listen]);
    const done = work((doneBytes) => {
      for (const each of listeners) each(doneBytes);
    }).finally(() => this.#running.delete(key));
    this.#running.set(key, { done, listeners });
    await done;
  }
}

/** True when the work of the other caller has made the blob present. */
async function follow(
  { done, listeners }: Running,
  listen: (doneBytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  listeners.add(listen);
  try {
    return await orAbort(
      done.then(
        () => true,
        () => false, // thrown to the caller whose work it is
      ),
      signal,
    );
  } finally {
    listeners.delete(listen);
  }
}

function throttled(onProgress: IngestOptions['onProgress'], size: number): (doneBytes: number) => void {
  if (onProgress === undefined) return () => undefined;
  let last = Number.NEGATIVE_INFINITY;
  let ended = false;
  return (doneBytes) => {
    const now = performance.now();
    if (ended || (doneBytes < size && now - last < progressIntervalMs)) return;
    last = now;
    ended = doneBytes === size;
    onProgress(doneBytes);
  };
}
