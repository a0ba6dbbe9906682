import type { Abortable } from '../core/abortable.js';
import type { Digest } from '../core/digest.js';
import { EngineError } from '../core/errors/engine-error.js';
import { acquireFileLock, type FileLock } from '../util/file-lock.js';
import { digestsOf, readContentTree } from './content-tree.js';
import { type ImageRecord, stackOf } from './image-record.js';
import type { ImageServices } from './image-services.js';

export interface CollectOptions {
  /** Waits until nobody is adding content. Default: does nothing then, since the next removal will do it. */
  readonly wait?: Abortable;
  /** Also removes partial downloads that nothing was added to for so long. Default: leaves them. */
  readonly partialsOlderThanMs?: number;
}

/** Removes blobs and layers that no image and no container needs. Returns the bytes that they had. */
export async function collectContent(services: ImageServices, options: CollectOptions = {}): Promise<number> {
  const lock = await takeLock(services, options.wait);
  if (lock === undefined) return 0;
  try {
    const images = await services.images.list();
    const uses = await services.usedByContainers();
    const blobs = new Set<Digest>(await services.pinnedContent());
    for (const image of images) for (const digest of await contentOf(services, image)) blobs.add(digest);
    let freedBytes = 0;
    for await (const { digest, size } of services.content.list()) {
      options.wait?.signal?.throwIfAborted();
      if (blobs.has(digest)) continue;
      await services.content.remove(digest);
      freedBytes += size;
    }
    if (options.partialsOlderThanMs !== undefined) {
      freedBytes += await services.content.removePartials(options.partialsOlderThanMs);
    }
    return freedBytes + (await services.layers.collect([...images.map(stackOf), ...uses.map((use) => use.stack)]));
  } finally {
    await lock.release();
  }
}

/** Blobs of an image, with those of the other images of its index, as far as they are here. */
export async function contentOf(services: ImageServices, image: ImageRecord): Promise<Iterable<Digest>> {
  const own = [image.target, image.manifest, image.id, ...image.layers.map((layer) => layer.digest)];
  if (image.target === image.manifest) return own;
  try {
    return [...own, ...digestsOf(await readContentTree(services.content, image.target))];
  } catch (error) {
    if (EngineError.is(error, 'BLOB_NOT_FOUND')) return own;
    throw error;
  }
}

async function takeLock(services: ImageServices, wait: Abortable | undefined): Promise<FileLock | undefined> {
  const options = wait === undefined ? { timeoutMs: 0 } : { signal: wait.signal };
  try {
    return await acquireFileLock(services.locker, services.contentLock, options);
  } catch (error) {
    if (EngineError.is(error, 'LOCK_TIMEOUT')) return undefined;
    throw error;
  }
}
