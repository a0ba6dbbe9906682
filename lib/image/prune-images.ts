import type { Abortable } from '../core/abortable.js';
import { collectContent } from './collect-content.js';
import { checkDate, checkLabels, hasLabels, isBuiltBefore } from './image-filters.js';
import { imageGroups } from './image-group.js';
import { takeName, withNames } from './image-names.js';
import { isNamed } from './image-record.js';
import type { ImageServices } from './image-services.js';

/** Which images are not needed. */
export interface PruneImagesOptions extends Abortable {
  /** Every image that no container uses, not only those without a name. Default false. */
  readonly all?: boolean;
  /** Only images that were built before, and partial downloads that nothing was added to since. Default: all. */
  readonly until?: Date;
  /** Only images with all of these labels: `name`, or `name=value`. Default: any. */
  readonly labels?: readonly string[];
}

/** What a prune has removed. */
export interface PrunedImages {
  /** Ids of images that are gone. */
  readonly deleted: readonly string[];
  /** The names that they had. */
  readonly untagged: readonly string[];
  /** Bytes of blobs, layers and partial downloads. */
  readonly freedBytes: number;
}

/**
 * Removes images that nobody needs, what no image needs any more, and what pulls that were never repeated have left. It
 * waits until nothing is being pulled, in this process and others.
 *
 * @throws EngineError `INVALID_OPTION`; the reason of `signal`.
 */
export async function pruneImages(services: ImageServices, options: PruneImagesOptions = {}): Promise<PrunedImages> {
  const labels = checkLabels(options.labels ?? [], 'labels');
  const until = options.until === undefined ? undefined : checkDate(options.until, 'until');
  const pruned = await withNames(services, async () => {
    const used = new Set((await services.usedByContainers()).map(({ image }) => image));
    const groups = (await imageGroups(services)).filter(({ id, names, records: [image] }) => {
      if (used.has(id) || (names.length > 0 && options.all !== true)) return false;
      return hasLabels(image, labels) && (until === undefined || isBuiltBefore(image, until));
    });
    options.signal?.throwIfAborted();
    for (const { id, records } of groups) {
      for (const record of records) {
        await takeName(services, record, 'forget');
        if (isNamed(record)) services.tell('untag', record);
      }
      services.tell('delete', { id });
    }
    return { deleted: groups.map(({ id }) => id), untagged: groups.flatMap(({ names }) => names) };
  });
  // What is interrupted from here on, the next prune goes on with.
  const wait = { signal: options.signal };
  const olderThanMs = until === undefined ? 0 : Math.max(0, services.now().getTime() - until.getTime());
  const freedBytes = await collectContent(services, { wait, partialsOlderThanMs: olderThanMs });
  return { ...pruned, freedBytes };
}
