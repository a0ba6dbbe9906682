import { EngineError } from '../core/errors/engine-error.js';
import { Deferred } from './deferred.js';
import { toFileError } from './file-error.js';

/**
 * Work that must not outlive what it belongs to. Closing aborts whatever is under way with `CLOSED` and waits until it
 * has cleaned up after itself; from then on new work is refused.
 */
export class OpenWork {
  readonly #running = new Map<AbortController, Promise<unknown>>();
  #closed = false;

  /** @param what - for the error: `engine`. */
  constructor(private readonly what: string) {}

  /** @throws EngineError `CLOSED`. */
  assertOpen(): void {
    if (this.#closed) throw this.#refusal();
  }

  /**
   * Does `work` with a signal that aborts with `signal`, and with `CLOSED` on {@link close}. A failure of the system that
   * nobody below has understood becomes `SYSTEM_CALL_FAILED` (or `NO_SPACE`) here.
   */
  async run<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.assertOpen();
    signal?.throwIfAborted();
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const running = work(controller.signal);
    this.#running.set(controller, running);
    try {
      return await running;
    } catch (error) {
      throw error === signal?.reason ? error : toFileError(error);
    } finally {
      this.#running.delete(controller);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** The same for a stream, from its first reading to its end; {@link close} ends it, read or not. */
  async *stream<T>(
    signal: AbortSignal | undefined,
    open: (signal: AbortSignal) => AsyncIterable<T> | Promise<AsyncIterable<T>>,
  ): AsyncGenerator<T, void, void> {
    const opened = new Deferred<{ readonly iterator: AsyncIterator<T>; readonly signal: AbortSignal }>();
    const done = new Deferred<void>();
    const held = this.run(signal, async (workSignal) => {
      workSignal.addEventListener('abort', () => done.resolve(), { once: true });
      const iterator = (await open(workSignal))[Symbol.asyncIterator]();
      opened.resolve({ iterator, signal: workSignal });
      await done.promise;
      await iterator.return?.(); // it gives back what it holds, whether somebody reads or not
    });
    held.catch(() => undefined); // seen by whoever reads
    try {
      const stream = await Promise.race([opened.promise, held]);
      while (stream !== undefined) {
        const next = await stream.iterator.next();
        stream.signal.throwIfAborted(); // what was ended has not come to its end
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      done.resolve();
      await held;
    }
  }

  /** Resolves when nothing is under way any more, however it has ended. Safe to call again. */
  async close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#running];
    for (const [controller] of running) controller.abort(this.#refusal());
    await Promise.allSettled(running.map(([, work]) => work));
  }

  #refusal(): EngineError {
    return new EngineError('CLOSED', { what: this.what });
  }
}
