import type { Abortable } from '../core/abortable.js';
import type { Descriptor } from '../core/descriptor.js';
import type { Digest } from '../core/digest.js';
import { EngineError } from '../core/errors/engine-error.js';
import { isNondistributableType } from '../core/media-types.js';
import { formatPlatform, type Platform, platformDistance } from '../core/platform.js';
import { formatReference, parseReference, type Reference } from '../core/reference.js';
import { availablePlatforms, candidatesFromIndex } from '../registry/choose-platform.js';
import { oncePerNotice } from '../registry/once-per-notice.js';
import type { OnRegistryNotice } from '../registry/registry-notice.js';
import { Semaphore } from '../util/semaphore.js';
import { blobsOf, type ContentTree, isComplete, manifestsOf, readContentTree } from './content-tree.js';
import { guardProgress } from './guard-progress.js';
import { configOf, type ImageRecord, isNamed } from './image-record.js';
import type { ImageServices } from './image-services.js';
import type { OnPushProgress } from './push-progress.js';

export interface PushOptions extends Abortable {
  /** Pushes only the image for this platform. Default: all that the image has, if all of it is here. */
  readonly platform?: Platform;
  readonly onProgress?: OnPushProgress;
}

/** What is at the registry now. */
export interface PushResult {
  /** Where, in full: `localhost:5000/team/app:1`. */
  readonly reference: string;
  /** Of the index or manifest that the tag means there. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes that had to be sent, manifests not counted. */
  readonly uploadedBytes: number;
}

/** Uploads at once, as with downloads. */
const PARALLEL_UPLOADS = 4;
const MAX_MOUNT_SOURCES = 3;

/**
 * Sends an image to the registry in its name. Blobs go as they are stored here, and only those that are not there.
 *
 * An image that was pulled for one of several platforms is pushed as that one: its index lists what is not here.
 */
export async function pushImage(
  services: ImageServices,
  referenceText: string,
  options: PushOptions = {},
): Promise<PushResult> {
  const image = await services.images.resolve(referenceText);
  if (!isNamed(image)) {
    throw new EngineError('INVALID_REFERENCE', {
      reference: referenceText,
      reason: 'an image without a name has no registry',
    });
  }
  const reference = parseReference(image.name);
  const progress = guardProgress(options.onProgress);
  const onNotice = oncePerNotice(progress);
  // Held as by a pull: nobody may remove the image's blobs while they are sent.
  return services.holdContent(options.signal, async () => {
    const tree = await chooseTree(services, image, options.platform);
    const blobs = blobsOf(tree).filter(({ mediaType }) => !isNondistributableType(mediaType));
    const manifests = manifestsOf(tree);
    const { digest, mediaType } = tree.fetched.descriptor;
    progress({
      type: 'resolved',
      reference: image.name,
      digest,
      manifestCount: manifests.length,
      blobCount: blobs.length,
      totalBytes: blobs.reduce((sum, { size }) => sum + size, 0),
    });
    const push: Push = { services, reference, progress, onNotice, sources: await mountSources(services, reference) };
    const uploadedBytes = await pushBlobs(push, blobs, options.signal);
    for (const each of manifests) await pushManifest(push, each, each === tree, options.signal);
    services.tell('push', image);
    progress({ type: 'complete', digest });
    return { reference: formatReference(reference), digest, mediaType, uploadedBytes };
  });
}

interface Push {
  readonly services: ImageServices;
  readonly reference: Reference;
  readonly progress: OnPushProgress;
  readonly onNotice: OnRegistryNotice;
  /** Repositories of the same registry by the blobs that they probably have. */
  readonly sources: ReadonlyMap<Digest, readonly string[]>;
}

async function chooseTree(
  services: ImageServices,
  image: ImageRecord,
  platform: Platform | undefined,
): Promise<ContentTree> {
  const tree = await readContentTree(services.content, image.target);
  if (platform !== undefined) return choosePlatform(tree, image, platform);
  return isComplete(tree) ? tree : readContentTree(services.content, image.manifest);
}

function choosePlatform(tree: ContentTree, image: ImageRecord, platform: Platform): ContentTree {
  const available: string[] = [];
  const { document } = tree;
  if (document.kind === 'index') {
    available.push(...availablePlatforms(document));
    for (const { digest } of candidatesFromIndex(document, platform)) {
      const child = tree.children.find(({ fetched }) => fetched.descriptor.digest === digest);
      if (child?.document.kind === 'manifest') return child;
    }
  } else {
    const { os, architecture, variant } = configOf(image);
    const own = { os, architecture, ...(variant !== undefined && { variant }) };
    if (platformDistance(platform, own) !== undefined) return tree;
    available.push(formatPlatform(own));
  }
  const wanted = formatPlatform(platform);
  throw new EngineError('PLATFORM_NOT_FOUND', { reference: image.name, platform: wanted, available });
}

/** Whoever was pulled from that registry, or pushed there, has left its layers in its repository. */
async function mountSources(
  services: ImageServices,
  { registry, repository }: Reference,
): Promise<ReadonlyMap<Digest, readonly string[]>> {
  const sources = new Map<Digest, readonly string[]>();
  for (const image of (await services.images.list()).filter(isNamed)) {
    const other = parseReference(image.name);
    if (other.registry !== registry || other.repository === repository) continue;
    for (const digest of [image.id, ...image.layers.map((layer) => layer.digest)]) {
      const known = sources.get(digest) ?? [];
      if (known.length < MAX_MOUNT_SOURCES && !known.includes(other.repository)) {
        sources.set(digest, [...known, other.repository]);
      }
    }
  }
  return sources;
}

async function pushBlobs(push: Push, blobs: readonly Descriptor[], signal: AbortSignal | undefined): Promise<number> {
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const slots = new Semaphore(PARALLEL_UPLOADS);
  const uploads = blobs.map((blob) => slots.run(() => pushBlob(push, blob, stop)));
  try {
    return (await Promise.all(uploads)).reduce((sum, bytes) => sum + bytes, 0);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(uploads); // nothing of this push goes on behind the caller's back
    throw error;
  }
}

async function pushBlob(push: Push, blob: Descriptor, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  const { services, reference, progress, onNotice } = push;
  const { digest, size: totalBytes } = blob;
  if ((await services.content.stat(digest)) === undefined) throw new EngineError('BLOB_NOT_FOUND', { digest });
  const open = (offset: number): AsyncIterable<Uint8Array> => services.content.read(digest, { offset, signal });
  const pushed = await services.registry.pushBlob(reference, blob, open, {
    signal,
    onNotice,
    mountFrom: push.sources.get(digest) ?? [],
    onProgress: throttled((doneBytes) => progress({ type: 'uploading', digest, doneBytes, totalBytes }), totalBytes),
  });
  if (pushed.how === 'mounted') progress({ type: 'mounted', digest, totalBytes, from: pushed.from });
  else progress({ type: pushed.how, digest, totalBytes });
  return pushed.how === 'uploaded' ? totalBytes : 0;
}

/** What an index lists goes by digest; the tag is given last, when all of it is there. */
async function pushManifest(
  { services, reference, progress, onNotice }: Push,
  { fetched }: ContentTree,
  isTop: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const { registry, repository, tag } = reference;
  const { digest, mediaType } = fetched.descriptor;
  const target = isTop && tag !== undefined ? { registry, repository, tag } : { registry, repository, digest };
  await services.registry.pushManifest(target, fetched, { signal, onNotice });
  progress({ type: 'manifest', digest, mediaType });
}

const progressIntervalMs = 100;

function throttled(report: (doneBytes: number) => void, totalBytes: number): (doneBytes: number) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (doneBytes) => {
    const now = performance.now();
    if (doneBytes < totalBytes && now - last < progressIntervalMs) return;
    last = now;
    report(doneBytes);
  };
}
