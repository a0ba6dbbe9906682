import type { Digest } from '../core/digest.js';
import { EngineError } from '../core/errors/engine-error.js';
import { acquireFileLock, type FileLock } from '../util/file-lock.js';
import { digestsOf, readContentTree } from './content-tree.js';
import { type ImageRecord, stackOf } from './image-record.js';
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
    const blobs = new Set<Digest>(await services.pinnedContent());
    for (const image of images) for (const digest of await contentOf(services, image)) blobs.add(digest);
    for await (const { digest } of services.content.list()) {
      if (!blobs.has(digest)) await services.content.remove(digest);
    }
    await services.layers.collect([...images.map(stackOf), ...uses.map((use) => use.stack)]);
  } finally {
    await lock.release();
  }
}

/** With the other images of its index, as far as they are here. */
async function contentOf(services: ImageServices, image: ImageRecord): Promise<Iterable<Digest>> {
  const own = [image.target, image.manifest, image.id, ...image.layers.map((layer) => layer.digest)];
  if (image.target === image.manifest) return own;
  try {
    return [...own, ...digestsOf(await readContentTree(services.content, image.target))];
  } catch (error) {
    if (EngineError.is(error, 'BLOB_NOT_FOUND')) return own;
    throw error;
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
