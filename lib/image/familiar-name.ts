import { formatFamiliarReference, parseReference } from '../core/reference.js';
import { type ImageRecord, isNamed } from './image-record.js';

/** The short name for people: `debian:12`; the id of an image that has no name. */
export const familiarName = (image: ImageRecord): string =>
  isNamed(image) ? formatFamiliarReference(parseReference(image.name)) : image.id;
