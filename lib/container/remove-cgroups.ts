import { existsSync, rmdirSync } from 'node:fs';
import { EngineError } from '../core/errors/engine-error.js';
import type { PlanOperation } from '../runtime/launch-plan.js';
import { delay } from '../util/abort.js';
import { isMissing } from '../util/file-error.js';
import { cgroupFiles, containerCgroup } from './container-cgroup.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';

const PATIENCE_MS = 2000;
const SIGKILL = 9;

/** Removes what a supervisor could not, because it was killed. Of a container that has ended. */
export async function removeCgroups(services: ContainerServices, record: ContainerRecord): Promise<void> {
  if (record.config.namespaces?.pid !== undefined) await endProcesses(services, record);
  for (const operation of cleanupOf(services, record)) {
    if (operation.op === 'remove-directory' && existsSync(operation.path)) await removeCgroup(operation.path);
  }
}

/** Those of a container without a PID namespace of its own outlive their first one and their supervisor. */
async function endProcesses(services: ContainerServices, record: ContainerRecord): Promise<void> {
  const { processes } = cgroupFiles(services, record);
  if (processes === undefined) return;
  for (;;) {
    const pids = ((await services.cgroupControl.readText(processes)) ?? '').split('\n').filter((line) => line !== '');
    if (pids.length === 0) return;
    for (const pid of pids) {
      const pidfd = services.kernel.openProcess(Number(pid));
      if (pidfd === undefined) continue;
      // Looked for once more while the pidfd holds the process: a pid alone may be another one's by now.
      const still = ((await services.cgroupControl.readText(processes)) ?? '').split('\n').includes(pid);
      if (still) services.kernel.signalProcess(pidfd, SIGKILL);
      services.kernel.close(pidfd);
    }
    await delay(1);
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

/** The engine's group below a parent that is not the engine's goes with its last container. */
export function removeOwnParent(services: ContainerServices, { config }: ContainerRecord): void {
  const { sharedDirectories } = services.cgroups.plan({ id: 'none', parent: config.cgroupParent, resources: {} });
  for (const directory of sharedDirectories) {
    try {
      rmdirSync(directory);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'EBUSY' && code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
    }
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
