import { existsSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../core/errors/engine-error.js';
import type { PlanOperation } from '../runtime/launch-plan.js';
import { delay } from '../util/abort.js';
import { hasErrno } from '../util/errno.js';
import { isMissing } from '../util/file-error.js';
import { cgroupFiles, containerCgroup } from './container-cgroup.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { killGroup } from './kill-group.js';

const PATIENCE_MS = 2000;

/** Removes what a supervisor could not, because it was killed. Of a container that has ended. */
export async function removeCgroups(services: ContainerServices, record: ContainerRecord): Promise<void> {
  const { processes } = cgroupFiles(services, record);
  // Those of a container without a PID namespace of its own outlive their first one and their supervisor.
  const mayLive = record.config.namespaces?.pid !== undefined && processes !== undefined;
  if (mayLive) await killGroup(services, dirname(processes));
  await removePlannedCgroups(services, cleanupOf(services, record));
}

/** Removes the groups that a plan's cleanup names, as far as they are there. */
export async function removePlannedCgroups(
  { cgroupControl }: ContainerServices,
  cleanup: readonly PlanOperation[],
): Promise<void> {
  for (const operation of cleanup) {
    if (operation.op === 'remove-directory' && existsSync(operation.path))
      await removeCgroup(operation.path, cgroupControl);
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

/** The engine's group above its containers, below `parent` when it is given, goes with the last of them. */
export function removeSharedCgroups({ cgroups }: ContainerServices, parent?: string): void {
  for (const directory of cgroups.plan({ id: 'none', parent, resources: {} }).sharedDirectories) {
    try {
      rmdirSync(directory);
    } catch (error) {
      if (!hasErrno(error, 'EBUSY', 'ENOTEMPTY', 'ENOENT')) throw error;
    }
  }
}

/**
 * A group is busy until the kernel has let go of its last, already ended, process, and while groups are in it, which a
 * container may have made.
 */
async function removeCgroup(path: string, control: ContainerServices['cgroupControl']): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let pauseMs = 1; ; pauseMs *= 2) {
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      if (isMissing(error)) return;
      if (!hasErrno(error, 'EBUSY') || performance.now() >= deadline) throw error;
    }
    for (const name of await control.listGroups(path)) await removeCgroup(`${path}/${name}`, control);
    await delay(pauseMs);
  }
}
