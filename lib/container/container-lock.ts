import { join } from 'node:path';
import { EngineError } from '../core/errors/engine-error.js';
import { isMissing, toFileError } from '../util/file-error.js';
import { acquireFileLock, type FileLock } from '../util/file-lock.js';
import type { ContainerServices } from './container-services.js';

/**
 * Makes a change to a container's life while nobody else, in any process, makes one.
 *
 * @throws EngineError `NO_SUCH_CONTAINER` when it was removed.
 */
export async function withContainerLock<T>(
  services: ContainerServices,
  id: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await lockContainer(services, id, signal);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** The same, until the lock is released. */
export async function lockContainer(
  services: ContainerServices,
  id: string,
  signal: AbortSignal | undefined,
): Promise<FileLock> {
  const path = join(services.layout.container(id), 'lock');
  try {
    return await acquireFileLock(services.kernel, path, signal === undefined ? {} : { signal });
  } catch (error) {
    // The lock is in the container's directory, which goes with the container.
    if (isMissing(error)) throw new EngineError('NO_SUCH_CONTAINER', { reference: id });
    throw toFileError(error, path);
  }
}
