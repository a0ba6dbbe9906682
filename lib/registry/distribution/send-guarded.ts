import { EngineError } from '../../core/errors/engine-error.js';
import type { HttpClient, HttpRequest, HttpResponse } from '../http-client.js';

export interface Guard {
  /** Names the registry in errors. */
  readonly registry: string;
  /** Longest time without a byte from the other side. */
  readonly stallTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** True for hosts to which nothing needs to be encrypted. */
  readonly mayUsePlainHttp: (url: URL) => boolean;
}

/**
 * One HTTP exchange that cannot hang: when nothing comes and nothing goes for `stallTimeoutMs` it ends. Time during which
 * nobody reads the body of the answer does not count. Failures of the network, those of the body too, become `REGISTRY_UNREACHABLE`.
 */
export async function sendGuarded(http: HttpClient, request: HttpRequest, guard: Guard): Promise<HttpResponse> {
  guard.signal?.throwIfAborted();
  const watchdog = new Watchdog(guard);
  try {
    const { body, ...head } = request;
    const sent = { ...head, signal: watchdog.signal, ...(body !== undefined && { body: watched(body, watchdog) }) };
    const response = await watchdog.during(http.request(sent));
    return { ...response, body: readGuarded(response, watchdog), discard: () => discard(response, watchdog) };
  } catch (error) {
    watchdog.end();
    throw watchdog.explain(error);
  }
}

/** Each piece that the connection takes is a sign of life. */
function watched(body: NonNullable<HttpRequest['body']>, watchdog: Watchdog): NonNullable<HttpRequest['body']> {
  if (body instanceof Uint8Array) return body;
  return (async function* () {
    for await (const chunk of body) {
      watchdog.touch();
      yield chunk;
    }
  })();
}

async function* readGuarded(response: HttpResponse, watchdog: Watchdog): AsyncGenerator<Uint8Array, void, void> {
  const chunks = response.body[Symbol.asyncIterator]();
  let complete = false;
  try {
    for (;;) {
      const next = await watchdog.during(chunks.next());
      if (next.done === true) break;
      yield next.value;
    }
    complete = true;
  } catch (error) {
    throw watchdog.explain(error);
  } finally {
    if (!complete) response.discard();
    watchdog.end();
  }
}

function discard(response: HttpResponse, watchdog: Watchdog): void {
  response.discard();
  watchdog.end();
}

/** Aborts an exchange for the user or for lack of progress, and remembers for which. */
class Watchdog {
  readonly #controller = new AbortController();
  readonly #guard: Guard;
  readonly #onAbort = (): void => this.#controller.abort(this.#guard.signal?.reason);
  #timer: NodeJS.Timeout | undefined;
  #stalled = false;

  constructor(guard: Guard) {
    this.#guard = guard;
    guard.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async during<T>(pending: Promise<T>): Promise<T> {
    this.#timer = setTimeout(() => {
      this.#stalled = true;
      this.#controller.abort(new Error('stalled'));
    }, this.#guard.stallTimeoutMs);
    try {
      return await pending;
    } finally {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  touch(): void {
    this.#timer?.refresh();
  }

  end(): void {
    this.#guard.signal?.removeEventListener('abort', this.#onAbort);
  }

  /** The reason of the user's abort, or an EngineError. */
  explain(error: unknown): unknown {
    const { registry, signal, stallTimeoutMs } = this.#guard;
    if (signal?.aborted === true) return signal.reason;
    if (EngineError.is(error)) return error;
    if (this.#stalled) {
      const reason = `no data for ${stallTimeoutMs} ms`;
      const cause = Object.assign(new Error(reason), { code: 'ETIMEDOUT' });
      return new EngineError('REGISTRY_UNREACHABLE', { registry, reason }, { cause });
    }
    const reason = error instanceof Error ? error.message : String(error);
    return new EngineError('REGISTRY_UNREACHABLE', { registry, reason: reason.slice(0, 500) }, { cause: error });
  }
}
