import { rmSync, writeFileSync } from 'node:fs';
import { EngineError } from '../core/errors/engine-error.js';
import { awaitSettled } from './await-process.js';
import { containerFiles, readState } from './container-files.js';
import type { ContainerServices } from './container-services.js';
import { removePlannedCgroups } from './remove-cgroups.js';
import type { RemoveOptions } from './remove-container.js';
import { signalFirstProcess } from './signal-container.js';
import { waitContainer } from './wait-container.js';

const SIGKILL = 9;

/**
 * Removes a container whose record cannot be read, with everything that can be found without it. A group below a
 * `cgroupParent` of its own is not.
 *
 * @throws EngineError `WRONG_STATE` when it runs and `force` is not set.
 */
export async function removeDamaged(
  services: ContainerServices,
  id: string,
  { force = false }: RemoveOptions,
): Promise<void> {
  const files = containerFiles(services.layout, id);
  const state = readState(files);
  let exit = state.status === 'exited' ? state.exit : undefined;
  if (state.status !== 'created' && state.status !== 'exited') {
    if (!force) throw new EngineError('WRONG_STATE', { id, status: state.status, wanted: 'stopped' });
    for (const path of [files.stopped, files.runStopped]) writeFileSync(path, '', { mode: 0o600 });
    const ended = waitContainer(services, id);
    ended.catch(() => undefined); // awaited below
    if (state.status !== 'restarting') signalFirstProcess(services, id, state.process, SIGKILL);
    exit = await ended;
  }
  const live = services.live.get(id);
  await awaitSettled(live);
  services.live.delete(id);
  services.attachments.forget(id);
  await services.health.forget(id);
  services.logWriters.delete(id);
  for (const network of services.networks.values()) await network.detach(id);
  await removePlannedCgroups(services, services.cgroups.plan({ id, resources: {} }).cleanup);
  await services.layers.discard(files.directory);
  await services.records.releaseNames(id);
  if (exit !== undefined) services.exits.keep(id, exit);
  rmSync(files.process, { force: true });
  for (const each of [files.runDirectory, files.directory]) rmSync(each, { recursive: true, force: true });
  services.own.delete(id);
}
