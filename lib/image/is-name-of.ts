import { formatReference, parseReference } from '../core/reference.js';
import type { ImageRecord } from './image-record.js';

/**
 * True when `reference` has led to `image` by its name; false when it is an id, or the beginning of one, which leads to
 * whichever name of the image comes first.
 */
export function isNameOf(reference: string, image: ImageRecord): boolean {
  if (!/^(?:sha256:)?[0-9a-f]{4,64}$/.test(reference)) return true;
  if (reference.startsWith('sha256:') || reference.length === 64) return false;
  return formatReference(parseReference(reference)) === image.name;
}
