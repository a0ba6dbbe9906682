import { acquireFileLock } from '../util/file-lock.js';
import type { ImageServices } from './image-services.js';

/** Adds content; meanwhile no process removes what looks unused because it has no name yet. */
export async function withContentLock<T>(
  services: ImageServices,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await acquireFileLock(services.locker, services.contentLock, { mode: 'shared', signal });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
