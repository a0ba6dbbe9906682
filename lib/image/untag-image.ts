import { EngineError } from '../core/errors/engine-error.js';
import { formatReference, parseReference } from '../core/reference.js';
import { takeName, withNames } from './image-names.js';
import type { ImageServices } from './image-services.js';

/**
 * Takes a name off an image and leaves the image, even without a name.
 *
 * @throws EngineError `NO_SUCH_IMAGE` when nothing has the name, `INVALID_REFERENCE`.
 */
export async function untagImage(services: ImageServices, name: string): Promise<void> {
  await withNames(services, async () => {
    const image = await services.images.find(formatReference(parseReference(name)));
    if (image === undefined) throw new EngineError('NO_SUCH_IMAGE', { reference: name });
    await takeName(services, image, 'keep');
    services.tell('untag', image);
  });
}
