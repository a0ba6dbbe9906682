import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { containerFiles, isAlive, readState } from '../container/container-files.js';
import type { ContainerRecord } from '../container/container-record.js';
import type { ContainerServices } from '../container/container-services.js';
import { removeCgroups } from '../container/remove-cgroups.js';
import { removeContainer } from '../container/remove-container.js';
import { EngineError } from '../core/errors/engine-error.js';
import { acquireFileLock } from '../util/file-lock.js';
import { resumeContainers } from './resume-containers.js';
import type { EngineServices } from './services.js';

/**
 * Repairs what processes that were killed have left: containers whose owner is gone, half-made directories, cgroups,
 * addresses and published ports of the dead. Then it starts what a restart policy wants to run.
 */
export async function recover(services: EngineServices): Promise<void> {
  const { containers } = services;
  const lock = await tryLock(services);
  if (lock !== undefined) {
    // Whoever makes a container holds this lock shared: what has no record now never gets one.
    try {
      await removeUnfinished(containers);
      await emptyTrash(containers);
    } finally {
      await lock.release();
    }
  }
  containers.exits.sweep();
  const { records } = await containers.records.survey(); // what is damaged stays as it is, for whoever wants to look at it
  for (const record of records) {
    if (isOrphan(record)) await removeContainer(containers, record, { force: true });
    else if (!isRunning(containers, record.id) && !isOwnerAlive(record)) await removeCgroups(containers, record);
  }
  for (const driver of containers.networks.values()) {
    await driver.sweep((id) => mayUseNetwork(containers, id));
  }
  await resumeContainers(containers, records);
}

async function tryLock(services: EngineServices) {
  try {
    return await acquireFileLock(services.images.locker, services.images.contentLock, { timeoutMs: 0 });
  } catch (error) {
    if (EngineError.is(error, 'LOCK_TIMEOUT')) return undefined; // somebody is at work: the next open will do
    throw error;
  }
}

async function removeUnfinished(services: ContainerServices): Promise<void> {
  for (const id of await services.records.ids()) {
    if ((await services.records.look(id)) !== undefined) continue;
    const { directory, runDirectory } = containerFiles(services.layout, id);
    await services.layers.discard(directory);
    await rm(runDirectory, { recursive: true, force: true });
    await rm(directory, { recursive: true, force: true });
  }
  // The one below ROOT goes last. Where it has gone alone, e.g. by hand, nobody else looks for the one in RUN.
  const made = new Set(await services.records.ids());
  for (const id of await readdir(join(services.layout.run, 'containers'))) {
    const files = containerFiles(services.layout, id);
    if (made.has(id) || readState(files).status === 'running') continue;
    await rm(files.runDirectory, { recursive: true, force: true });
  }
}

/** What a supervisor that was killed did not get to. One that is at it right now loses nothing to a helper. */
async function emptyTrash({ layout, layers }: ContainerServices): Promise<void> {
  for (const name of await readdir(layout.trash())) {
    const directory = layout.trash(name);
    try {
      await layers.discard(directory);
      await rm(directory, { recursive: true, force: true });
    } catch (error) {
      if (existsSync(directory)) throw error; // else its supervisor was faster
    }
  }
}

function isOrphan(record: ContainerRecord): boolean {
  return record.config.lifetime === 'owner' && !isOwnerAlive(record);
}

/** While it lives it may be starting the container at this moment. */
const isOwnerAlive = ({ owner }: ContainerRecord): boolean =>
  isAlive({ pid: owner.pid, startTicks: BigInt(owner.startTicks) });

const isRunning = (services: ContainerServices, id: string): boolean =>
  ['running', 'restarting'].includes(readState(containerFiles(services.layout, id)).status);

/** A container of a living process may be connecting at this moment. */
async function mayUseNetwork(services: ContainerServices, id: string): Promise<boolean> {
  if (isRunning(services, id)) return true;
  const found = await services.records.look(id);
  return found !== undefined && !EngineError.is(found) && isOwnerAlive(found);
}
