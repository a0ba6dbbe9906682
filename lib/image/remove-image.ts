import { EngineError } from '../core/errors/engine-error.js';
import { collectContent } from './collect-content.js';
import type { ImageRecord } from './image-record.js';
import type { ImageServices } from './image-services.js';

/**
 * Takes the name off an image, and with its last name the image itself.
 *
 * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`; `IMAGE_IN_USE` when it is the last name and a container needs
 * the image.
 */
export async function removeImage(services: ImageServices, reference: string): Promise<ImageRecord> {
  const image = await services.images.resolve(reference);
  const others = (await services.images.list()).filter((each) => each.id === image.id && each.name !== image.name);
  if (others.length === 0) {
    const users = (await services.usedByContainers()).filter((use) => use.image === image.id);
    if (users.length > 0) {
      throw new EngineError('IMAGE_IN_USE', { reference, containers: users.map((use) => use.container.slice(0, 12)) });
    }
  }
  await services.images.remove(image.name);
  await collectContent(services);
  return image;
}
