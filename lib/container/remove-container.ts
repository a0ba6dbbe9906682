import { existsSync, rmSync } from 'node:fs';
import { attachCleanupErrors } from '../core/errors/attach-cleanup-errors.js';
import { EngineError } from '../core/errors/engine-error.js';
import { toFileError } from '../util/file-error.js';
import { awaitSettled } from './await-process.js';
import { containerState } from './container-cgroup.js';
import { containerFiles, readState } from './container-files.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { removeCgroups, removeSharedCgroups } from './remove-cgroups.js';
import { stopContainer } from './stop-container.js';

/** How a container is removed. */
export interface RemoveOptions {
  /** Kills a running container first. Default false. */
  readonly force?: boolean;
}

/**
 * Removes a container and everything that it has: files, address, ports, name.
 *
 * @throws EngineError `WRONG_STATE` when it runs and `force` is not set. If a step fails the others are done all the
 * same, and the container can be removed again.
 */
export async function removeContainer(
  services: ContainerServices,
  record: ContainerRecord,
  options: RemoveOptions = {},
): Promise<void> {
  const { id, config } = record;
  const files = containerFiles(services.layout, id);
  const { status } = containerState(services, record);
  if (status === 'running' || status === 'paused' || status === 'restarting') {
    if (options.force !== true) throw new EngineError('WRONG_STATE', { id, status, wanted: 'stopped' });
    await stopIfThere(services, record);
  }
  const releaseNames = (): Promise<void> | void =>
    existsSync(files.renamed) ? services.records.releaseNames(id) : services.records.releaseName(record.name, id);
  const failures: unknown[] = [];
  const attempt = async (step: () => Promise<void> | void | undefined): Promise<void> => {
    try {
      await step();
    } catch (error) {
      failures.push(toFileError(error, files.directory));
    }
  };
  const live = services.live.get(id);
  await attempt(() => awaitSettled(live));
  services.live.delete(id);
  services.attachments.forget(id);
  await attempt(() => services.health.forget(id));
  services.logWriters.delete(id);
  await attempt(() => services.networks.get(config.network)?.detach(id));
  if (live?.cgroupsGone !== true) await attempt(() => removeCgroups(services, record));
  const { cgroupParent } = config;
  if (cgroupParent !== undefined) await attempt(() => removeSharedCgroups(services, cgroupParent));
  if (existsSync(files.directory)) {
    await attempt(() => keepExit(services, record));
    await attempt(() => services.layers.discard(files.directory));
    await attempt(releaseNames);
    // While one cannot be removed the other stays, and with it the lock and the way to try again.
    await attempt(() => {
      for (const each of [files.runDirectory, files.directory]) rmSync(each, { recursive: true, force: true });
    });
  } else services.records.releaseName(record.name, id);
  if (failures.length > 0) {
    const [first, ...others] = failures;
    attachCleanupErrors(first, others);
    throw first;
  }
  services.own.delete(id);
  services.events.removed(record);
}

/** For whoever waits for it, in this process or another. A process without the record of its exit would seem to be lost. */
function keepExit(services: ContainerServices, { id }: ContainerRecord): void {
  const files = containerFiles(services.layout, id);
  const state = readState(files);
  if (state.status === 'exited') services.exits.keep(id, state.exit);
  rmSync(files.process, { force: true });
}

/** The supervisor of a run whose engine was killed removes the files itself, maybe at this moment: gone is what is wanted. */
async function stopIfThere(services: ContainerServices, record: ContainerRecord): Promise<void> {
  try {
    await stopContainer(services, record, { timeoutMs: 0 });
  } catch (error) {
    if (!EngineError.is(error, 'NO_SUCH_CONTAINER')) throw error;
  }
}
