import type { Abortable } from '../core/abortable.js';
import { createManifest } from './archive/create-manifest.js';
import { saveImage } from './image-names.js';
import type { ImageRecord } from './image-record.js';
import type { ImageServices } from './image-services.js';
import { layerSource } from './layer-source.js';

/** An image whose layers are blobs already. */
export interface NewImage extends Abortable {
  /** Canonical; undefined for an image without one. */
  readonly name: string | undefined;
  /** The configuration as it is stored. @see OCI image-spec, config.md */
  readonly document: object;
  /** Lowest first. */
  readonly layers: ImageRecord['layers'];
}

/** Stores configuration and manifest, unpacks what is missing, and makes the image known. The caller holds the content. */
export async function makeImage(
  services: ImageServices,
  { name, document, layers, signal }: NewImage,
): Promise<ImageRecord> {
  const json = JSON.stringify(document);
  const config = await services.content.put(Buffer.from(json));
  const manifest = await createManifest(services.content, { config, layers });
  const sources = layers.map((each) => layerSource(services.content, each));
  await services.layers.apply(sources, { signal });
  const image: ImageRecord = {
    version: 1,
    name: name ?? config.digest,
    target: manifest.digest,
    manifest: manifest.digest,
    id: config.digest,
    config: json,
    layers,
    storedAt: services.now().toISOString(),
  };
  signal?.throwIfAborted();
  await saveImage(services, image); // the point of no return
  return image;
}
