import { acquireFileLock } from '../util/file-lock.js';
import { type ImageRecord, isNamed, namelessOf } from './image-record.js';
import type { ImageServices } from './image-services.js';

/**
 * Gives an image its name: from here on everybody sees it. Another image that had the name loses it; when that was its
 * last, it stays without any, until it is removed or pruned.
 */
export async function saveImage(services: ImageServices, image: ImageRecord): Promise<void> {
  await withNames(services, async () => {
    const before = await services.images.find(image.name);
    if (before !== undefined && before.id !== image.id && (await isLastName(services, before))) {
      await services.images.save(namelessOf(before));
    }
    await services.images.save(image);
    if (isNamed(image)) await services.images.remove(image.id); // it is nameless no more
  });
}

/**
 * Takes a name off an image. With its last name gone it stays without any, or with `forget` not at all.
 *
 * The caller holds the names ({@link withNames}).
 */
export async function takeName(services: ImageServices, image: ImageRecord, last: 'keep' | 'forget'): Promise<void> {
  // In this order: a crash between the two leaves the image as it was.
  if (last === 'keep' && isNamed(image) && (await isLastName(services, image))) {
    await services.images.save(namelessOf(image));
  }
  await services.images.remove(image.name);
}

/** Changes names while no other process does, so that what is decided by one name knows of all others. */
export async function withNames<T>(services: ImageServices, work: () => Promise<T>): Promise<T> {
  await using _lock = await acquireFileLock(services.locker, services.namesLock);
  return await work();
}

async function isLastName(services: ImageServices, image: ImageRecord): Promise<boolean> {
  return !(await services.images.list()).some((each) => each.id === image.id && each.name !== image.name);
}
