import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { attachCleanupErrors } from '../core/errors/attach-cleanup-errors.js';
import { EngineError } from '../core/errors/engine-error.js';
import { awaitSettled } from './await-process.js';
import { containerFiles, readState } from './container-files.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { removeCgroups } from './remove-cgroups.js';
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
  if (readState(files).status === 'running') {
    if (options.force !== true) throw new EngineError('WRONG_STATE', { id, status: 'running', wanted: 'stopped' });
    await stopContainer(services, record, { timeoutMs: 0 });
  }
  const failures: unknown[] = [];
  const attempt = async (step: () => Promise<void> | undefined): Promise<void> => {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  };
  await attempt(() => awaitSettled(services.live.get(id)));
  services.live.delete(id);
  services.attachments.forget(id);
  services.logWriters.delete(id);
  await attempt(() => services.networks.get(config.network)?.detach(id));
  await attempt(() => removeCgroups(services, record));
  if (existsSync(files.directory)) {
    await attempt(() => services.layers.discard(files.directory));
    await attempt(() => rm(files.runDirectory, { recursive: true, force: true }));
  }
  await attempt(() => services.records.releaseName(record.name, id));
  await attempt(() => rm(files.directory, { recursive: true, force: true }));
  if (failures.length > 0) {
    const [first, ...others] = failures;
    attachCleanupErrors(first, others);
    throw first;
  }
  services.own.delete(id);
}
