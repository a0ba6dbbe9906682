import type { Abortable } from '../core/abortable.js';
import type { Descriptor } from '../core/descriptor.js';
import { EngineError } from '../core/errors/engine-error.js';
import { decodeImageConfig, type ImageConfig, type ImageLayer, pairLayers } from '../core/image-config.js';
import { limits } from '../core/limits.js';
import { formatPlatform, type Platform } from '../core/platform.js';
import { formatFamiliarReference, formatReference, parseReference, type Reference } from '../core/reference.js';
import { type FetchedImageManifest, fetchImageManifest } from '../registry/fetch-image-manifest.js';
import { oncePerNotice } from '../registry/once-per-notice.js';
import type { RegistryRequestOptions } from '../registry/registry-client.js';
import { Semaphore } from '../util/semaphore.js';
import { guardProgress } from './guard-progress.js';
import { saveImage } from './image-names.js';
import type { ImageRecord } from './image-record.js';
import type { ImageServices } from './image-services.js';
import { layerSource } from './layer-source.js';
import type { OnPullProgress } from './pull-progress.js';

export interface PullOptions extends Abortable {
  /** Default: that of this host. */
  readonly platform?: Platform;
  readonly onProgress?: OnPullProgress;
}

/** Downloads at once: more gain nothing on one link, fewer leave it idle while a layer ends. */
const PARALLEL_DOWNLOADS = 4;

/**
 * Fetches an image and makes it usable: when this resolves, a container of it starts at once.
 *
 * Layers are unpacked as soon as they are here, while others still download. The image gets its name last; before that
 * nobody sees it, and what an interrupted pull leaves is verified content that the next one continues with.
 */
export async function pullImage(
  services: ImageServices,
  referenceText: string,
  options: PullOptions = {},
): Promise<ImageRecord> {
  const reference = parseReference(referenceText);
  const progress = guardProgress(options.onProgress);
  return services.holdContent(options.signal, async () => {
    progress({ type: 'resolving', reference: formatReference(reference) });
    const platform = options.platform ?? services.platform;
    const request: RegistryRequestOptions = { signal: options.signal, onNotice: oncePerNotice(progress) };
    const found = await fetchImageManifest(services.registry, reference, platform, request);
    const image = await toRecord(services, reference, found, options);
    progress({
      type: 'resolved',
      digest: found.fetched.descriptor.digest,
      layerCount: image.layers.length,
      totalBytes: image.layers.reduce((sum, layer) => sum + layer.size, 0),
    });
    await fetchLayers(services, reference, found, image, progress, options.signal);
    options.signal?.throwIfAborted();
    await saveImage(services, image); // the point of no return: from here on the image is there
    services.tell('pull', image);
    progress({ type: 'complete', id: image.id });
    return image;
  });
}

async function toRecord(
  services: ImageServices,
  reference: Reference,
  found: FetchedImageManifest,
  options: PullOptions,
): Promise<ImageRecord> {
  const { top, fetched, manifest } = found;
  const what = `config ${manifest.config.digest}`;
  await services.content.put(top.bytes);
  await services.content.put(fetched.bytes);
  await ingest(services, reference, manifest.config, options.signal);
  const bytes = await services.content.readBytes(manifest.config.digest, limits.configBytes);
  const config = decodeImageConfig(bytes, what);
  checkPlatform(reference, options.platform ?? services.platform, config);
  const pairs = pairLayers(manifest, config, what);
  return {
    version: 1,
    name: formatReference(reference),
    target: top.descriptor.digest,
    manifest: fetched.descriptor.digest,
    id: manifest.config.digest,
    config: Buffer.from(bytes).toString('utf8'),
    layers: pairs.map(({ descriptor, diffId }: ImageLayer) => ({
      digest: descriptor.digest,
      size: descriptor.size,
      diffId,
    })),
    storedAt: services.now().toISOString(),
  };
}

/** A name without an index, or an entry without a platform, says only here for which machine it is. */
function checkPlatform(reference: Reference, wanted: Platform, config: ImageConfig): void {
  if (config.os === wanted.os && config.architecture === wanted.architecture) return;
  const { os, architecture } = config;
  throw new EngineError('PLATFORM_NOT_FOUND', {
    reference: formatFamiliarReference(reference),
    platform: formatPlatform(wanted),
    available: [formatPlatform({ os, architecture })],
  });
}

async function fetchLayers(
  services: ImageServices,
  reference: Reference,
  found: FetchedImageManifest,
  image: ImageRecord,
  progress: OnPullProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const slots = new Semaphore(PARALLEL_DOWNLOADS);
  const downloads = found.manifest.layers.map((descriptor) =>
    slots.run(() =>
      ingest(services, reference, descriptor, stop, (doneBytes) =>
        progress({ type: 'downloading', digest: descriptor.digest, doneBytes, totalBytes: descriptor.size }),
      ),
    ),
  );
  const sources = image.layers.map((layer, index) => layerSource(services.content, layer, downloads[index]));
  const unpacking = services.layers.apply(sources, {
    signal: stop,
    onLayer: (diffId, index) => progress({ type: 'unpacked', diffId, index, layerCount: sources.length }),
  });
  try {
    await Promise.all([...downloads, unpacking]);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled([...downloads, unpacking]); // nothing of this pull goes on behind the caller's back
    throw error;
  }
}

function ingest(
  services: ImageServices,
  reference: Reference,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
  onProgress?: (doneBytes: number) => void,
): Promise<void> {
  return services.content.ingest(
    descriptor,
    (offset) => services.registry.fetchBlob(reference, descriptor, offset, { signal }),
    { signal, onProgress },
  );
}
