import type { ContainersDiskUsage } from '../container/container-disk-usage.js';
import type { ImagesDiskUsage } from '../image/image-disk-usage.js';

/** What an engine takes on disk. */
export interface DiskUsage {
  readonly images: ImagesDiskUsage;
  readonly containers: ContainersDiskUsage;
}
