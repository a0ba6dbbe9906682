import type { Contestant } from './contestant.js';

/** One question that every able contestant is asked, in turns. */
export interface Measurement {
  /** What `--only` calls it. */
  readonly id: string;
  readonly title: string;
  readonly unit: 'ms' | 's' | 'KiB';
  /** How often each contestant is asked unless `--runs` says otherwise. */
  readonly runs: number;
  /** Returns a way to take one sample of this contestant, or undefined when it cannot do it. */
  prepare(contestant: Contestant, surroundings: MeasurementSurroundings): Promise<Sampler | undefined>;
}

export interface Sampler {
  /** Takes one sample, in the unit of the measurement. */
  sample(): Promise<number>;
  dispose?(): Promise<void>;
}

export interface MeasurementSurroundings {
  /** The large image, pushed to a registry on loopback the first time that it is asked for. */
  largeImageReference(): Promise<string>;
}

export interface Result {
  readonly measurement: string;
  readonly title: string;
  readonly unit: string;
  readonly contestant: string;
  readonly samples: readonly number[];
  /** Why there are fewer samples than were asked for. */
  readonly failure?: string;
}

/** Milliseconds that `action` takes. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}
