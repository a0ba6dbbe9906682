import type { StorageLayout } from '../core/storage-layout.js';
import type { ImageUse } from '../image/image-services.js';
import { containerFiles, readState } from './container-files.js';
import type { ContainerRecord } from './container-record.js';

/** What a container needs of its image, if it has one. */
export function imageUseOf(layout: StorageLayout, { id, image }: ContainerRecord): readonly ImageUse[] {
  if (image === undefined) return [];
  const { status } = readState(containerFiles(layout, id));
  const isRunning = status !== 'created' && status !== 'exited';
  return [{ container: id, image: image.id, stack: image.stack, isRunning }];
}
