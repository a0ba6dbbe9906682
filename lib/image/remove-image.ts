import { EngineError } from '../core/errors/engine-error.js';
import { collectContent } from './collect-content.js';
import { familiarName } from './familiar-name.js';
import { namesOf } from './image-group.js';
import { takeName, withNames } from './image-names.js';
import { isNamed } from './image-record.js';
import type { ImageServices } from './image-services.js';
import { isNameOf } from './is-name-of.js';

/** How an image is removed. */
export interface RemoveImageOptions {
  /**
   * Also an image that containers use, and by its id one with several names. Containers keep what they need; while one of
   * them runs, the image stays without a name. Default false.
   */
  readonly force?: boolean;
}

/** What the removal of an image has done. */
export interface RemovedImage {
  /** Names that are gone. */
  readonly untagged: readonly string[];
  /** Id of the image, if it is gone itself. */
  readonly deleted: string | undefined;
  /**
   * Bytes of blobs and layers that nobody needs any more. 0 while something is pulled: the next removal or `prune` frees
   * them.
   */
  readonly freedBytes: number;
}

/**
 * Takes the name off an image, and with its last name removes the image itself; by its id, all of its names.
 *
 * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`; `IMAGE_IN_USE` when it is the last name and a container needs
 * the image, and by id while a container runs, even with `force`; `IMAGE_HAS_NAMES` by id.
 */
export async function removeImage(
  services: ImageServices,
  reference: string,
  options: RemoveImageOptions = {},
): Promise<RemovedImage> {
  const removed = await withNames(services, () => remove(services, reference, options.force ?? false));
  const freedBytes = removed.deleted === undefined ? 0 : await collectContent(services);
  return { ...removed, freedBytes };
}

async function remove(
  services: ImageServices,
  reference: string,
  force: boolean,
): Promise<Omit<RemovedImage, 'freedBytes'>> {
  const image = await services.images.resolve(reference);
  const records = (await services.images.list()).filter((each) => each.id === image.id);
  const isById = !isNameOf(reference, image);
  if (!isById && records.length > 1) {
    await takeName(services, image, 'forget');
    services.tell('untag', image);
    return { untagged: [familiarName(image)], deleted: undefined };
  }
  const users = (await services.usedByContainers()).filter((use) => use.image === image.id);
  const running = users.filter((use) => use.isRunning);
  if (isById && running.length > 0) throw inUse(reference, running);
  if (!force && users.length > 0) throw inUse(reference, users);
  const names = await namesOf(services, image.id);
  if (!force && names.length > 1) throw new EngineError('IMAGE_HAS_NAMES', { reference, names });
  const last = running.length > 0 ? 'keep' : 'forget';
  for (const record of records) {
    await takeName(services, record, last);
    if (isNamed(record)) services.tell('untag', record);
  }
  if (last === 'forget') services.tell('delete', { id: image.id });
  return { untagged: names, deleted: last === 'keep' ? undefined : image.id };
}

function inUse(reference: string, users: readonly { readonly container: string }[]): EngineError {
  return new EngineError('IMAGE_IN_USE', { reference, containers: users.map((use) => use.container.slice(0, 12)) });
}
