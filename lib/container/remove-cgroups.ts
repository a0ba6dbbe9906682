import { rmdir } from 'node:fs/promises';
import { delay } from '../util/abort.js';
import { isMissing } from '../util/file-error.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';

const TRIES = 100;
const PAUSE_MS = 10;

/** Removes the cgroups of a container whose supervisor was killed before it could do so. Missing ones are fine. */
export async function removeCgroups(services: ContainerServices, record: ContainerRecord): Promise<void> {
  const plan = services.cgroups.plan({ id: record.id, resources: record.config.resources });
  for (const operation of plan.cleanup) {
    if (operation.op === 'remove-directory') await removeDirectory(operation.path);
  }
}

/** A cgroup is busy until the kernel has taken leave of its last process, which is killed but may not have ended. */
async function removeDirectory(path: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rmdir(path);
      return;
    } catch (error) {
      if (isMissing(error)) return;
      const isBusy = error instanceof Error && 'code' in error && error.code === 'EBUSY';
      if (!isBusy || attempt === TRIES) throw error;
      await delay(PAUSE_MS);
    }
  }
}
