import type { Clock } from '#lib/registry/distribution/clock.js';

/** A clock whose pauses take no time and are written down. */
export interface ManualClock extends Clock {
  readonly pausesMs: readonly number[];
  advance(milliseconds: number): void;
}

/** Starts at 2026-01-01 and always draws `chance`. */
export function manualClock(chance = 1): ManualClock {
  let now = Date.UTC(2026, 0, 1);
  const pausesMs: number[] = [];
  return {
    pausesMs,
    now: () => now,
    random: () => chance,
    advance: (milliseconds) => {
      now += milliseconds;
    },
    delay: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      pausesMs.push(milliseconds);
      now += milliseconds;
    },
  };
}
