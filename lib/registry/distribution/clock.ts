import { delay } from '../../util/abort.js';

/** Time and chance, so that tests need neither wait nor guess. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Rejects with the reason of `signal` if that aborts first. */
  delay(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** At least 0, less than 1. */
  random(): number;
}

export const systemClock: Clock = { now: () => Date.now(), delay, random: () => Math.random() };
