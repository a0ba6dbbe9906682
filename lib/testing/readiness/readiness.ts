import type { Container } from '../../container/container.js';

/**
 * What makes a container ready. Made by `forPort`, `forLogLine` and their kin, or by hand. Holds no state: one may be used
 * for several containers.
 */
export interface Readiness {
  /** Goes into errors, e.g. `port 5432`. */
  readonly description: string;
  /** It holds when the container ends, or after: that end is no failure. Default false. */
  readonly outlivesContainer?: boolean;
  /**
   * Resolves when it holds; rejects when it never will. Rejects when the signal of `context` aborts, and leaves nothing behind
   * on any way out.
   */
  wait(context: ReadinessContext): Promise<void>;
}

/** What a {@link Readiness} works with. */
export interface ReadinessContext {
  readonly container: Container;
  /** Aborts when the answer is no longer wanted: timeout, end of the container, abort by the caller, success. */
  readonly signal: AbortSignal;
  /** Notes what was seen last, for the error of a timeout. */
  observe(seen: string): void;
  /**
   * For what has no event: asks again and again, first after 10 ms, then more and more rarely up to every 250 ms, until the
   * answer is true. Any other answer is what was seen.
   */
  poll(check: () => Promise<true | string>): Promise<void>;
  /** Waits for a part of this readiness, with the container's end as its failure. */
  hold(part: Readiness): Promise<void>;
}
