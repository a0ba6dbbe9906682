import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import { directoryBytes } from '../util/directory-bytes.js';
import { containerFiles } from './container-files.js';
import { type ContainerFilters, containerFilter } from './container-filters.js';
import { withContainerLock } from './container-lock.js';
import type { ContainerServices } from './container-services.js';
import { removeContainer } from './remove-container.js';

/** Which containers are not needed. */
export interface PruneContainersOptions extends Abortable {
  /** Only containers that are all of this. Default: all that do not run. */
  readonly filters?: Pick<ContainerFilters, 'label' | 'until'>;
}

/** What a prune has removed. */
export interface PrunedContainers {
  /** Ids of containers that are gone. */
  readonly deleted: readonly string[];
  /** Bytes on disk: what they had written, and their logs. */
  readonly freedBytes: number;
}

/** Removes containers that have ended or were never started. One that is started or removed meanwhile is passed over. */
export async function pruneContainers(
  services: ContainerServices,
  { filters = {}, signal }: PruneContainersOptions,
): Promise<PrunedContainers> {
  const keeps = await containerFilter(services, { ...filters, status: ['created', 'exited'] });
  const deleted: string[] = [];
  let freedBytes = 0;
  for (const record of (await services.records.survey()).records) {
    signal?.throwIfAborted();
    if (!(await keeps(record))) continue;
    try {
      const bytes = await directoryBytes(containerFiles(services.layout, record.id).directory);
      await withContainerLock(services, record.id, signal, () => removeContainer(services, record));
      deleted.push(record.id);
      freedBytes += bytes;
    } catch (error) {
      if (!EngineError.is(error, 'WRONG_STATE') && !EngineError.is(error, 'NO_SUCH_CONTAINER')) throw error;
    }
  }
  return { deleted, freedBytes };
}
