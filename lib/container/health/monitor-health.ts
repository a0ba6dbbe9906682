import { EngineError } from '../../core/errors/engine-error.js';
import { isMissing } from '../../util/file-error.js';
import { acquireFileLock, type FileLock } from '../../util/file-lock.js';
import { containerState } from '../container-cgroup.js';
import { containerFiles } from '../container-files.js';
import type { ContainerRecord } from '../container-record.js';
import type { ContainerServices } from '../container-services.js';
import { afterProbe, type ContainerHealth, probeDelayMs, startingHealth } from './container-health.js';
import { healthLock, type RunningState, readHealth, runOf, saveHealth } from './health-file.js';
import type { HealthcheckConfig } from './healthcheck-option.js';
import { runProbe } from './run-probe.js';
import type { WakeableSleep } from './wakeable-sleep.js';

/**
 * Probes a container again and again until it has ended, or the signal aborts, or another engine does it already.
 *
 * Only one engine probes a detached container; the others find it taken. One that ends with its owner is probed by who has
 * started it.
 */
export async function monitorHealth(
  services: ContainerServices,
  record: ContainerRecord,
  check: HealthcheckConfig,
  sleep: WakeableSleep,
  signal: AbortSignal,
): Promise<void> {
  const lock = record.config.lifetime === 'owner' ? undefined : await tryLock(services, record);
  if (lock === null) return;
  try {
    const schedule = new Schedule(services, check);
    while (!signal.aborted) {
      const state = containerState(services, record);
      if (state.status === 'created' || state.status === 'exited') return;
      if (state.status !== 'running') {
        schedule.suspended(state);
        const untilStartMs = state.status === 'restarting' ? state.nextStartAt.getTime() - Date.now() : Infinity;
        await sleep.sleep(Math.min(check.intervalMs, Math.max(untilStartMs, SHORTEST_LOOK_MS)), signal);
        continue;
      }
      const health = readHealth(containerFiles(services.layout, record.id), state) ?? startingHealth;
      const delayMs = schedule.delayMs(state, health);
      if (delayMs > 0) await sleep.sleep(delayMs, signal);
      else {
        await probeOnce(services, record, check, state, health, signal);
        schedule.probed();
      }
    }
  } finally {
    await lock?.release();
  }
}

/** Between looks at a container that is about to be started again. */
const SHORTEST_LOOK_MS = 50;

/** When the next probe is due. Only what was before this engine is measured by the clock, which may be set. */
class Schedule {
  #run = '';
  /** The last probe's end, or the start, or the end of a pause. */
  #since = 0;

  constructor(
    private readonly services: ContainerServices,
    private readonly check: HealthcheckConfig,
  ) {}

  suspended(state: RunningState): void {
    this.#run = runOf(state);
    this.probed();
  }

  probed(): void {
    this.#since = performance.now();
  }

  delayMs(state: RunningState, health: ContainerHealth): number {
    const now = performance.now();
    const ageMs = this.services.now().getTime() - state.startedAt.getTime();
    if (this.#run !== runOf(state)) {
      this.#run = runOf(state);
      const probedAt = health.log.at(-1)?.end ?? state.startedAt;
      this.#since = now - Math.max(0, this.services.now().getTime() - probedAt.getTime());
    }
    const passedMs = now - this.#since;
    // Two clocks: a little before the start is the start.
    return probeDelayMs(health, this.check, Math.max(0, ageMs - passedMs)) - passedMs;
  }
}

async function probeOnce(
  services: ContainerServices,
  record: ContainerRecord,
  check: HealthcheckConfig,
  state: RunningState,
  before: ContainerHealth,
  signal: AbortSignal,
): Promise<void> {
  try {
    const probe = await runProbe(services, record, check, signal);
    if (probe === undefined) return;
    const health = afterProbe(before, probe, check, state.startedAt);
    const isSaved = await saveHealth(containerFiles(services.layout, record.id), state, health);
    if (isSaved && health.status !== before.status) services.events.healthChanged(record, health);
  } catch (error) {
    services.events.healthFailed(record, error);
  }
}

/** Null when another engine has it, or the container is gone. */
async function tryLock(services: ContainerServices, { id }: ContainerRecord): Promise<FileLock | null> {
  try {
    return await acquireFileLock(services.kernel, healthLock(containerFiles(services.layout, id)), { timeoutMs: 0 });
  } catch (error) {
    if (EngineError.is(error, 'LOCK_TIMEOUT') || isMissing(error)) return null;
    throw error;
  }
}
