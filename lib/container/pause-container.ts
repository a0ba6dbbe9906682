import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import { freezeCgroup, thawCgroup } from '../runtime/cgroup/freeze-cgroup.js';
import { cgroupFiles, containerState } from './container-cgroup.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';

/**
 * Stops all processes of a container where they are; resolves when they have stopped. The caller holds the container's
 * lock.
 *
 * @throws EngineError `WRONG_STATE` when it is not running, or paused already; `CONTROLLER_MISSING`; `PAUSE_TIMEOUT`
 * after ten seconds: then it goes on.
 */
export async function pauseContainer(
  services: ContainerServices,
  record: ContainerRecord,
  options: Abortable = {},
): Promise<void> {
  requireStatus(services, record, 'running');
  await freezeCgroup(cgroupFiles(services, record), services.cgroupControl, options);
  services.events.paused(record);
}

/**
 * Lets the processes of a paused container go on. The caller holds the container's lock.
 *
 * @throws EngineError `WRONG_STATE` when it is not paused.
 */
export async function unpauseContainer(services: ContainerServices, record: ContainerRecord): Promise<void> {
  requireStatus(services, record, 'paused');
  await thaw(services, record);
}

/** For what ends a container: on cgroup v1 a paused process takes no signal, not even SIGKILL. */
export async function thawPaused(services: ContainerServices, record: ContainerRecord): Promise<void> {
  const isPaused = (): boolean => containerState(services, record).status === 'paused';
  if (!isPaused()) return;
  try {
    await thaw(services, record);
  } catch (error) {
    if (isPaused()) throw error; // else it has ended meanwhile, and its groups with it
  }
}

async function thaw(services: ContainerServices, record: ContainerRecord): Promise<void> {
  await thawCgroup(cgroupFiles(services, record), services.cgroupControl);
  services.events.unpaused(record);
  services.health.wake(record.id);
}

function requireStatus(services: ContainerServices, record: ContainerRecord, wanted: 'running' | 'paused'): void {
  const { status } = containerState(services, record);
  if (status !== wanted) throw new EngineError('WRONG_STATE', { id: record.id, status, wanted });
}
