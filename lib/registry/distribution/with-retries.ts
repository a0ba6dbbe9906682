import { EngineError } from '../../core/errors/engine-error.js';
import type { Clock } from './clock.js';
import { TransientFailure } from './transient-failure.js';

export interface RetryPolicy {
  /** Attempts after the first one. */
  readonly retries: number;
  readonly clock: Clock;
}

const firstDelayMs = 200;
const maxDelayMs = 5000;
/** Who asks for more patience than this is told to the user instead. */
const maxRetryAfterMs = 30_000;

/** Failures of the network that pass. The rest (unknown host, bad certificate) is as wrong the next time. */
const passing: ReadonlySet<unknown> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ETIMEDOUT',
]);

/** Repeats `attempt` after failures that pass, with growing pauses of random length or as long as the server asks. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let retry = 0; ; retry += 1) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      const pauseMs = retry < policy.retries ? pauseBefore(error, retry, policy.clock) : undefined;
      if (pauseMs === undefined) throw toUserError(error);
      await policy.clock.delay(pauseMs, signal);
    }
  }
}

/** What the user sees of a failure. */
export function toUserError(error: unknown): unknown {
  return error instanceof TransientFailure ? error.failure : error;
}

/** How long to wait before the next attempt; undefined when there should be none. */
export function pauseBefore(error: unknown, retry: number, clock: Clock): number | undefined {
  const backoffMs = Math.min(firstDelayMs * 2 ** retry, maxDelayMs) * (0.5 + clock.random() / 2);
  if (error instanceof TransientFailure) {
    const askedMs = error.retryAfterMs ?? 0;
    return askedMs > maxRetryAfterMs ? undefined : Math.max(backoffMs, askedMs);
  }
  return EngineError.is(error, 'REGISTRY_UNREACHABLE') && passing.has(codeOf(error.cause)) ? backoffMs : undefined;
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}
