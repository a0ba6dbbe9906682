import type { Container } from '../../container/container.js';
import { invalidOption } from '../../container/invalid-option.js';
import type { Abortable } from '../../core/abortable.js';
import { EngineError } from '../../core/errors/engine-error.js';
import type { ExitStatus } from '../../core/exit-status.js';
import { delay, orAbort } from '../../util/abort.js';
import { LONGEST_TIMER_MS } from '../../util/longest-timer.js';
import { lastLogLines } from './last-log-lines.js';
import type { Readiness, ReadinessContext } from './readiness.js';

/** How long {@link waitFor} waits. */
export interface WaitForOptions extends Abortable {
  /** Default 60 000. */
  readonly timeoutMs?: number;
}

const FIRST_POLL_MS = 10;
const SLOWEST_POLL_MS = 250;

/**
 * Resolves when a started container is ready. Fails at once when it ends before.
 *
 * @throws EngineError `ENDED_BEFORE_READY` with exit code and the end of the log; `READY_TIMEOUT` with what was seen last;
 * `UNHEALTHY`; `WRONG_STATE` for a container that was never started; `INVALID_OPTION`; `PROGRAM_NOT_FOUND` for a command
 * that is not there. With `signal` its reason.
 */
export async function waitFor(container: Container, readiness: Readiness, options: WaitForOptions = {}): Promise<void> {
  const { timeoutMs = 60_000, signal } = options;
  if (typeof readiness?.wait !== 'function')
    throw invalidOption('readiness', 'a readiness like forPort(80)', readiness);
  if (!Number.isFinite(timeoutMs) || timeoutMs < 0 || timeoutMs > LONGEST_TIMER_MS) {
    throw invalidOption('timeoutMs', `0 to ${LONGEST_TIMER_MS} milliseconds`, timeoutMs);
  }
  signal?.throwIfAborted();
  await new Waiting(container, readiness, timeoutMs, signal).run();
}

/** One call of {@link waitFor}. Its signal ends everything that it has begun. */
class Waiting {
  readonly #over = new AbortController();
  readonly #begun: Promise<unknown>[] = [];
  #observed = 'nothing';

  constructor(
    private readonly container: Container,
    private readonly readiness: Readiness,
    private readonly timeoutMs: number,
    private readonly callersSignal: AbortSignal | undefined,
  ) {}

  async run(): Promise<void> {
    const { signal } = this.#over;
    const ended = this.#track(this.container.wait({ signal }));
    const timer = setTimeout(() => this.#over.abort(TIMEOUT), this.timeoutMs);
    const onAbort = (): void => this.#over.abort(this.callersSignal?.reason);
    this.callersSignal?.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#hold(this.readiness, ended);
    } catch (error) {
      throw error === TIMEOUT || signal.reason === TIMEOUT ? await this.#timeoutError() : error;
    } finally {
      clearTimeout(timer);
      this.callersSignal?.removeEventListener('abort', onAbort);
      this.#over.abort(new EngineError('CLOSED', { what: 'waiting for a container' }));
      await Promise.allSettled(this.#begun);
    }
  }

  async #hold(part: Readiness, ended: Promise<ExitStatus>): Promise<void> {
    const { signal } = this.#over;
    const waiting = this.#track(part.wait(this.#context(ended)));
    if (part.outlivesContainer === true) return orAbort(waiting, signal);
    const failed = this.#track(ended.then(async (exit) => Promise.reject(await this.#endError(exit))));
    try {
      await orAbort(Promise.race([waiting, failed]), signal);
    } catch (error) {
      signal.throwIfAborted();
      // What fails while a container ends fails because of that, e.g. a command that could not join it any more.
      if (this.container.status === 'exited') await orAbort(failed, signal);
      throw error;
    }
  }

  #context(ended: Promise<ExitStatus>): ReadinessContext {
    const { signal } = this.#over;
    return {
      container: this.container,
      signal,
      observe: (seen) => {
        this.#observed = seen;
      },
      poll: async (check) => {
        for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(2 * pauseMs, SLOWEST_POLL_MS)) {
          const answer = await check();
          if (answer === true) return;
          this.#observed = answer;
          await delay(pauseMs, signal);
        }
      },
      hold: (part) => this.#hold(part, ended),
    };
  }

  /** What has begun is over before `run` returns, and its late failure is nobody's business. */
  #track<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => undefined);
    this.#begun.push(promise);
    return promise;
  }

  async #endError({ exitCode, signal, oomKilled }: ExitStatus): Promise<EngineError> {
    return new EngineError('ENDED_BEFORE_READY', {
      id: this.container.id,
      waitedFor: this.readiness.description,
      exitCode,
      signal,
      oomKilled,
      observed: this.#observed,
      lastLines: await lastLogLines(this.container),
    });
  }

  async #timeoutError(): Promise<EngineError> {
    return new EngineError('READY_TIMEOUT', {
      id: this.container.id,
      waitedFor: this.readiness.description,
      timeoutMs: this.timeoutMs,
      observed: this.#observed,
      lastLines: await lastLogLines(this.container),
    });
  }
}

const TIMEOUT = Symbol('timeout');
