import type { Digest } from '../core/digest.js';
import { familiarName } from './familiar-name.js';
import { configOf, type ImageRecord, isNamed } from './image-record.js';
import type { ImageServices } from './image-services.js';

/** One image with everything that names it here. */
export interface ImageGroup {
  readonly id: Digest;
  /** One for each name, by name; a single one without a name when there is none. */
  readonly records: readonly [ImageRecord, ...ImageRecord[]];
  /** As Docker shows them: `debian:12`. */
  readonly names: readonly string[];
}

/** All images, each once, by their first name; those without one last. */
export async function imageGroups(services: ImageServices): Promise<readonly ImageGroup[]> {
  const groups = new Map<Digest, [ImageRecord, ...ImageRecord[]]>();
  const records = await services.images.list();
  for (const record of [...records.filter(isNamed), ...records.filter((each) => !isNamed(each))]) {
    const known = groups.get(record.id);
    if (known === undefined) groups.set(record.id, [record]);
    // A crash may have left the nameless record beside a name.
    else if (isNamed(record)) known.push(record);
  }
  return [...groups].map(([id, group]) => ({ id, records: group, names: group.filter(isNamed).map(familiarName) }));
}

/** The names of one image. */
export async function namesOf(services: ImageServices, id: Digest): Promise<readonly string[]> {
  return (await services.images.list()).filter((each) => each.id === id && isNamed(each)).map(familiarName);
}

/** When it was built, in milliseconds since 1970; 0 for one that does not say. */
export function builtAtMs(image: ImageRecord): number {
  const builtAt = Date.parse(configOf(image).created ?? '');
  return Number.isNaN(builtAt) ? 0 : builtAt;
}
