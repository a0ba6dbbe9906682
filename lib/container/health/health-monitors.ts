import { EngineError } from '../../core/errors/engine-error.js';
import type { ContainerRecord } from '../container-record.js';
import type { ContainerServices, HealthWatch, LiveContainer } from '../container-services.js';
import { monitorHealth } from './monitor-health.js';
import { WakeableSleep } from './wakeable-sleep.js';

interface Monitor {
  readonly abort: AbortController;
  readonly sleep: WakeableSleep;
  readonly ended: Promise<void>;
  /** It may just be about to end, while the container runs again. */
  isNeededAgain: boolean;
}

/** Containers that others have started are looked for so often. */
const LOOK_AGAIN_MS = 5000;

/**
 * The health checks that an engine performs: of the containers that it has started, and of detached ones that no other
 * engine takes care of. Nothing here keeps the process alive.
 */
export class HealthMonitors implements HealthWatch {
  readonly #monitors = new Map<string, Monitor>();
  /** Records of detached containers with a health check; undefined for all others. */
  readonly #detached = new Map<string, ContainerRecord | undefined>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;

  /** Looks for detached containers, now and every few seconds. */
  open(services: ContainerServices): void {
    const look = (): void => {
      this.#looking ??= this.#adopt(services).finally(() => {
        this.#looking = undefined;
      });
      this.#looking.catch(() => undefined); // a list that cannot be read is told to whoever asks for it
    };
    this.#timer = setInterval(look, LOOK_AGAIN_MS).unref();
    look();
  }

  /** This engine has started a container. */
  started(services: ContainerServices, record: ContainerRecord, { process }: LiveContainer): void {
    if (record.config.healthcheck === undefined) return;
    const earlier = this.#monitors.get(record.id);
    if (earlier === undefined) this.#watch(services, record);
    else {
      earlier.isNeededAgain = true;
      earlier.sleep.wake();
    }
    const wake = (): void => this.wake(record.id);
    process.exited.then(wake, wake);
  }

  /** Something has happened to a container: it goes on after a pause, or runs again. */
  wake(id: string): void {
    this.#monitors.get(id)?.sleep.wake();
  }

  /** Ends the probes of a container that is to be removed. */
  async forget(id: string): Promise<void> {
    this.#detached.delete(id);
    const monitor = this.#monitors.get(id);
    monitor?.abort.abort();
    await monitor?.ended;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#looking?.catch(() => undefined);
    await Promise.all([...this.#monitors.keys()].map((id) => this.forget(id)));
  }

  #watch(services: ContainerServices, record: ContainerRecord): void {
    const check = record.config.healthcheck;
    if (this.#closed || check === undefined || this.#monitors.has(record.id)) return;
    const abort = new AbortController();
    const sleep = new WakeableSleep();
    const ended = monitorHealth(services, record, check, sleep, abort.signal)
      .catch((error: unknown) => services.events.healthFailed(record, error))
      .finally(() => {
        this.#monitors.delete(record.id);
        if (monitor.isNeededAgain && !abort.signal.aborted) this.#watch(services, record);
      });
    const monitor: Monitor = { abort, sleep, ended, isNeededAgain: false };
    this.#monitors.set(record.id, monitor);
  }

  async #adopt(services: ContainerServices): Promise<void> {
    const ids = await services.records.ids();
    for (const id of ids) {
      if (!this.#detached.has(id)) {
        const record = await services.records.look(id);
        if (record === undefined || EngineError.is(record)) continue; // is being made, or damaged
        const { lifetime, healthcheck } = record.config;
        this.#detached.set(id, lifetime === 'detached' && healthcheck !== undefined ? record : undefined);
      }
      const record = this.#detached.get(id);
      if (record !== undefined) this.#watch(services, record);
    }
    const there = new Set(ids);
    for (const id of this.#detached.keys()) if (!there.has(id)) this.#detached.delete(id);
  }
}
