import { EngineError } from '../core/errors/engine-error.js';
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
      throw error === signal?.reason ? error : toFileError(error, (error as NodeJS.ErrnoException).path ?? '');
    } finally {
      this.#running.delete(controller);
      signal?.removeEventListener('abort', onAbort);
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
