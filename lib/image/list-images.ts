import { familiarName } from './familiar-name.js';
import { Image } from './image.js';
import { type ImageFilters, imageFilter } from './image-filters.js';
import { imageGroups } from './image-group.js';
import type { ImageServices } from './image-services.js';

/** Which images are listed. */
export interface ListImagesOptions {
  /** Default: all images. */
  readonly filters?: ImageFilters;
}

/** All images that the filters let through, each once. */
export async function listImages(services: ImageServices, options: ListImagesOptions): Promise<readonly Image[]> {
  const keep = await imageFilter(services, options.filters ?? {});
  return (await imageGroups(services)).flatMap((group) => {
    const kept = keep(group);
    if (kept === undefined) return [];
    const shown = kept.records.find((record) => familiarName(record) === kept.names[0]) ?? kept.records[0];
    return [new Image(shown, kept.names)];
  });
}
