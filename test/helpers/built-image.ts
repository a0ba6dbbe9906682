import { digestOf } from '#lib/core/digest.js';
import type { ImageRunConfig } from '#lib/core/image-config.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { hostPlatform } from '#lib/core/platform.js';
import { parseReference } from '#lib/core/reference.js';
import type { MemoryRegistryClient } from '#lib/registry/memory/memory-registry-client.js';
import { tarOf } from './tar-builder.js';

/** An image that tells how it was built. */
export interface BuiltImage {
  readonly created?: string;
  readonly author?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly config?: ImageRunConfig;
  readonly history?: readonly object[];
  /** Default: one layer with the image's name in it. */
  readonly layers?: readonly Uint8Array[];
}

/** Puts it into a registry of memory; returns its id. */
export function addBuiltImage(registry: MemoryRegistryClient, reference: string, image: BuiltImage): string {
  const name = parseReference(reference);
  const layers = image.layers ?? [tarOf({ name: 'name', content: reference })];
  const { created, author, history } = image;
  const config = Buffer.from(
    JSON.stringify({
      ...hostPlatform(),
      ...{ created, author, history },
      config: { Cmd: ['hang'], ...image.config, Labels: image.labels },
      rootfs: { type: 'layers', diff_ids: layers.map((bytes) => digestOf(bytes)) },
    }),
  );
  registry.addManifest(name, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: registry.addBlob(name, config, mediaTypes.ociConfig),
    layers: layers.map((bytes) => registry.addBlob(name, bytes, mediaTypes.ociLayer)),
  });
  return digestOf(config);
}
