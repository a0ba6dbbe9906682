import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import { delay } from '../util/abort.js';
import { LONGEST_TIMER_MS } from '../util/longest-timer.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { type ContainerStats, type Measurement, measureContainer, type StatsSample } from './container-stats.js';
import { waitContainer } from './wait-container.js';

/** How often a container is measured. */
export interface StatsOptions extends Abortable {
  /** From 1; the time between the end of one measurement and the begin of the next. */
  readonly intervalMs: number;
}

/**
 * Measurements of a running container, the first at once, until it ends. Leaving the loop releases everything.
 *
 * @throws EngineError `WRONG_STATE` when it does not run at the begin, `INVALID_OPTION`, the reason of `signal`.
 */
export async function* followStats(
  services: ContainerServices,
  record: ContainerRecord,
  { intervalMs, signal }: StatsOptions,
): AsyncGenerator<ContainerStats, void, void> {
  if (!Number.isInteger(intervalMs) || intervalMs < 1 || intervalMs > LONGEST_TIMER_MS) {
    const expected = `a whole number of milliseconds from 1 to ${LONGEST_TIMER_MS}`;
    throw new EngineError('INVALID_OPTION', { option: 'intervalMs', expected, got: String(intervalMs) });
  }
  const left = new AbortController();
  const step = <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => services.work.run(signal, work);
  try {
    let { stats, sample } = await step(() => measureContainer(services, record));
    const ended = waitContainer(services, record.id, { signal: left.signal });
    ended.catch(() => undefined); // that it cannot be known is seen by the next measurement
    for (;;) {
      yield stats;
      const next = await step(async (stepSignal) => {
        const isOver = await endsWithin(ended, intervalMs, stepSignal);
        return isOver ? undefined : measureUnlessEnded(services, record, sample);
      });
      if (next === undefined) return;
      ({ stats, sample } = next);
    }
  } finally {
    left.abort();
  }
}

async function endsWithin(ended: Promise<unknown>, intervalMs: number, signal: AbortSignal): Promise<boolean> {
  const timer = new AbortController();
  const stop = (): void => timer.abort();
  signal.addEventListener('abort', stop, { once: true });
  const pause = delay(intervalMs, timer.signal).then(
    () => false,
    () => true,
  );
  try {
    const isOver = await Promise.race([pause, ended.then(() => true)]);
    signal.throwIfAborted();
    return isOver;
  } catch (error) {
    signal.throwIfAborted();
    if (EngineError.is(error)) return true; // removed, or its supervisor killed: nothing is left to measure
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

async function measureUnlessEnded(
  services: ContainerServices,
  record: ContainerRecord,
  before: StatsSample,
): Promise<Measurement | undefined> {
  try {
    return await measureContainer(services, record, before);
  } catch (error) {
    if (EngineError.is(error, 'WRONG_STATE')) return undefined;
    throw error;
  }
}
