import type { StorageLayout } from '../core/storage-layout.js';
import type { ImageUse } from '../image/image-services.js';
import { containerFiles, readState } from './container-files.js';
import type { ContainerRecord } from './container-record.js';

/** What a container needs of its image. */
export function imageUseOf(layout: StorageLayout, { id, image }: ContainerRecord): ImageUse {
  const { status } = readState(containerFiles(layout, id));
  return { container: id, image: image.id, stack: image.stack, isRunning: status !== 'created' && status !== 'exited' };
}
