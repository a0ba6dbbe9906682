import type { Abortable } from '../core/abortable.js';
import type { Digest } from '../core/digest.js';
import { decodeImageConfig, pairLayers } from '../core/image-config.js';
import { limits } from '../core/limits.js';
import { requireImage } from '../core/manifest.js';
import { isImageConfigType } from '../core/media-types.js';
import { platformDistance } from '../core/platform.js';
import { formatReference, type Reference } from '../core/reference.js';
import { candidatesFromIndex } from '../registry/choose-platform.js';
import { type ContentTree, manifestsOf } from './content-tree.js';
import { saveImage } from './image-names.js';
import type { ImageRecord } from './image-record.js';
import type { ImageServices } from './image-services.js';
import { layerSource } from './layer-source.js';

/**
 * Makes an image of content that is stored here already: unpacks its layers and gives it its name. Undefined when there
 * is nothing in it that runs on this machine: an artifact, or images of other machines.
 *
 * The caller holds the content.
 *
 * @throws EngineError `INVALID_MANIFEST`, `UNSUPPORTED_MEDIA_TYPE`, `DIGEST_MISMATCH`, `INVALID_LAYER`, `NO_SPACE`.
 */
export async function storeImage(
  services: ImageServices,
  reference: Reference,
  tree: ContentTree,
  options: Abortable,
): Promise<ImageRecord | undefined> {
  const nameless = await unpackImage(services, tree, options);
  if (nameless === undefined) return undefined;
  const image = { ...nameless, name: formatReference(reference) };
  options.signal?.throwIfAborted();
  await saveImage(services, image); // the point of no return
  services.tell('load', image);
  return image;
}

/** The same without giving it a name: nobody sees the image yet. */
export async function unpackImage(
  services: ImageServices,
  tree: ContentTree,
  options: Abortable & { readonly onLayer?: ((diffId: Digest, index: number, layerCount: number) => void) | undefined },
): Promise<ImageRecord | undefined> {
  for (const candidate of runnable(tree, services)) {
    const { document, fetched } = candidate;
    if (document.kind !== 'manifest') continue;
    const what = `manifest ${fetched.descriptor.digest}`;
    const bytes = await services.content.readBytes(document.config.digest, limits.configBytes);
    const config = decodeImageConfig(bytes, `config ${document.config.digest}`);
    if (platformDistance(services.platform, config) === undefined) continue;
    requireImage(document, what);
    const layers = pairLayers(document, config, what).map(({ descriptor, diffId }) => ({
      digest: descriptor.digest,
      size: descriptor.size,
      diffId,
    }));
    const sources = layers.map((each) => layerSource(services.content, each));
    await services.layers.apply(sources, {
      signal: options.signal,
      onLayer: (diffId, index) => options.onLayer?.(diffId, index, layers.length),
    });
    return {
      version: 1,
      name: document.config.digest,
      target: tree.fetched.descriptor.digest,
      manifest: fetched.descriptor.digest,
      id: document.config.digest,
      config: Buffer.from(bytes).toString('utf8'),
      layers,
      storedAt: services.now().toISOString(),
    };
  }
  return undefined;
}

/** Images that may run here, best first. */
function runnable(tree: ContentTree, services: ImageServices): readonly ContentTree[] {
  const { document } = tree;
  if (document.kind === 'manifest') return isImageConfigType(document.config.mediaType) ? [tree] : [];
  const byDigest = new Map(manifestsOf(tree).map((each) => [each.fetched.descriptor.digest, each]));
  return candidatesFromIndex(document, services.platform).flatMap(({ digest }) => {
    const child = byDigest.get(digest);
    return child === undefined || child === tree ? [] : runnable(child, services);
  });
}
