import { inspect } from 'node:util';
import type { Contestant } from './contestant.js';
import type { Measurement, MeasurementSurroundings, Result, Sampler } from './measurement.js';

/**
 * Asks every contestant `runs` times, in turns: what disturbs the machine for a while disturbs all alike. A first sample
 * of each warms caches and is thrown away. A contestant that fails is not asked again, and the result says so.
 */
export async function measure(
  measurement: Measurement,
  contestants: readonly Contestant[],
  runs: number,
  surroundings: MeasurementSurroundings,
): Promise<Result[]> {
  const asked = await Promise.all(contestants.map((each) => begin(measurement, each, surroundings)));
  const able = asked.filter((each) => each !== undefined);
  for (let run = -1; run < runs; run++) {
    for (const each of able.filter(({ failure }) => failure === undefined)) await ask(each, run >= 0);
  }
  for (const each of able) await each.sampler?.dispose?.();
  const { id, title, unit } = measurement;
  return able.map(({ contestant, samples, failure }) => ({
    ...{ measurement: id, title, unit, contestant, samples },
    ...(failure !== undefined && { failure }),
  }));
}

interface Asked {
  readonly contestant: string;
  readonly sampler: Sampler | undefined;
  readonly samples: number[];
  failure: string | undefined;
}

async function begin(
  measurement: Measurement,
  contestant: Contestant,
  surroundings: MeasurementSurroundings,
): Promise<Asked | undefined> {
  try {
    const sampler = await measurement.prepare(contestant, surroundings);
    return sampler && { contestant: contestant.name, sampler, samples: [], failure: undefined };
  } catch (error) {
    return { contestant: contestant.name, sampler: undefined, samples: [], failure: inspect(error) };
  }
}

async function ask(asked: Asked, keep: boolean): Promise<void> {
  try {
    const sample = await asked.sampler?.sample();
    if (keep && sample !== undefined) asked.samples.push(sample);
  } catch (error) {
    asked.failure = inspect(error);
  }
}
