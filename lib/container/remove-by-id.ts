import { EngineError } from '../core/errors/engine-error.js';
import { withContainerLock } from './container-lock.js';
import type { ContainerServices } from './container-services.js';
import { type RemoveOptions, removeContainer } from './remove-container.js';
import { removeDamaged } from './remove-damaged.js';

/**
 * Removes a container of which only the id is known, damaged or not. One that is gone is what was wanted.
 *
 * @throws EngineError `WRONG_STATE` when it runs and `force` is not set; `NO_SUCH_CONTAINER` when it goes in this moment.
 */
export async function removeById(services: ContainerServices, id: string, options: RemoveOptions): Promise<void> {
  await withContainerLock(services, id, undefined, async () => {
    const found = await services.records.look(id);
    if (EngineError.is(found)) await removeDamaged(services, id, options);
    else if (found !== undefined) await removeContainer(services, found, options);
  });
}
