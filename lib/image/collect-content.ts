import type { Digest } from '../core/digest.js';
import { EngineError } from '../core/errors/engine-error.js';
import { acquireFileLock, type FileLock } from '../util/file-lock.js';
import { stackOf } from './image-record.js';
import type { ImageServices } from './image-services.js';

/**
 * Removes blobs and layers that no image and no container needs. Does nothing while somebody is adding content: the
 * next removal will do it.
 */
export async function collectContent(services: ImageServices): Promise<void> {
  const lock = await tryLock(services);
  if (lock === undefined) return;
  try {
    const images = await services.images.list();
    const uses = await services.usedByContainers();
    const blobs = new Set<Digest>(
      images.flatMap((image) => [image.target, image.manifest, image.id, ...image.layers.map((layer) => layer.digest)]),
    );
    for await (const { digest } of services.content.list()) {
      if (!blobs.has(digest)) await services.content.remove(digest);
    }
    await services.layers.collect([...images.map(stackOf), ...uses.map((use) => use.stack)]);
  } finally {
    await lock.release();
  }
}

async function tryLock(services: ImageServices): Promise<FileLock | undefined> {
  try {
    return await acquireFileLock(services.locker, services.contentLock, { timeoutMs: 0 });
  } catch (error) {
    if (EngineError.is(error, 'LOCK_TIMEOUT')) return undefined;
    throw error;
  }
}
