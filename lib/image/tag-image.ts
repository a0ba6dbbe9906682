import { EngineError } from '../core/errors/engine-error.js';
import { formatReference, parseReference } from '../core/reference.js';
import { saveImage } from './image-names.js';
import type { ImageRecord } from './image-record.js';
import type { ImageServices } from './image-services.js';

/**
 * Gives an image a further name, which another image loses if it had it.
 *
 * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`, `INVALID_REFERENCE` (a name with a digest, too: that is not for
 * users to choose).
 */
export async function tagImage(services: ImageServices, source: string, target: string): Promise<ImageRecord> {
  const reference = parseReference(target);
  if (reference.digest !== undefined) {
    throw new EngineError('INVALID_REFERENCE', { reference: target, reason: 'a new name must not have a digest' });
  }
  return services.holdContent(undefined, async () => {
    const image = { ...(await services.images.resolve(source)), name: formatReference(reference) };
    await saveImage(services, image);
    services.tell('tag', image);
    return image;
  });
}
