import { digestOf } from '../core/digest.js';
import type { ImageRunConfig } from '../core/image-config.js';
import { mediaTypes } from '../core/media-types.js';
import { hostPlatform, type Platform } from '../core/platform.js';
import { parseReference } from '../core/reference.js';
import type { MemoryRegistryClient } from '../registry/memory/memory-registry-client.js';

/** An image for {@link addMemoryImage}. */
export interface MemoryImage {
  /** What containers are started with. Default: nothing. */
  readonly config?: ImageRunConfig;
  /** Uncompressed archives, lowest first. Default: one that is empty. */
  readonly layers?: readonly Uint8Array[];
  /** Default: that of this host. */
  readonly platform?: Platform;
}

const emptyArchive = new Uint8Array(1024);

/** Puts an image into a registry of memory, where `engine.images.pull(reference)` finds it. Returns its digest. */
export function addMemoryImage(registry: MemoryRegistryClient, reference: string, image: MemoryImage = {}): string {
  const name = parseReference(reference);
  const layers = image.layers ?? [emptyArchive];
  const config = {
    ...(image.platform ?? hostPlatform()),
    config: image.config ?? {},
    rootfs: { type: 'layers', diff_ids: layers.map((bytes) => digestOf(bytes)) },
  };
  const descriptor = registry.addManifest(name, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: registry.addBlob(name, Buffer.from(JSON.stringify(config)), mediaTypes.ociConfig),
    layers: layers.map((bytes) => registry.addBlob(name, bytes, mediaTypes.ociLayer)),
  });
  return descriptor.digest;
}
