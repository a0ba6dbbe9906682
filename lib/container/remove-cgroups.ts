import { existsSync, rmdirSync } from 'node:fs';
import { EngineError } from '../core/errors/engine-error.js';
import type { PlanOperation } from '../runtime/launch-plan.js';
import { delay } from '../util/abort.js';
import { isMissing } from '../util/file-error.js';
import { containerCgroup } from './container-cgroup.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';

const PATIENCE_MS = 2000;

/** Removes what a supervisor could not, because it was killed. Of a container that has ended. */
export async function removeCgroups(services: ContainerServices, record: ContainerRecord): Promise<void> {
  for (const operation of cleanupOf(services, record)) {
    if (operation.op === 'remove-directory' && existsSync(operation.path)) await removeCgroup(operation.path);
  }
}

function cleanupOf(services: ContainerServices, record: ContainerRecord): readonly PlanOperation[] {
  try {
    return containerCgroup(services, record).cleanup;
  } catch (error) {
    // Limits that this host cannot keep: such a container was never started.
    if (EngineError.is(error, 'CONTROLLER_MISSING')) return [];
    throw error;
  }
}

/** A group is busy until the kernel has let go of its last, already ended, process. */
async function removeCgroup(path: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let pauseMs = 1; ; pauseMs *= 2) {
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      if (isMissing(error)) return;
      const isBusy = error instanceof Error && 'code' in error && error.code === 'EBUSY';
      if (!isBusy || performance.now() >= deadline) throw error;
    }
    await delay(pauseMs);
  }
}
