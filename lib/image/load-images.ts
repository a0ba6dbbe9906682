import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Abortable } from '../core/abortable.js';
import { attachCleanupErrors } from '../core/errors/attach-cleanup-errors.js';
import { EngineError } from '../core/errors/engine-error.js';
import { limits } from '../core/limits.js';
import { formatPlatform } from '../core/platform.js';
import { formatReference, parseReference } from '../core/reference.js';
import { compressionOf } from '../layers/compression/compression-of.js';
import { BadCompression, decompress } from '../layers/compression/decompress.js';
import { abortableIterable } from '../util/abortable-iterable.js';
import { onFile } from '../util/file-error.js';
import { onlyBytes } from '../util/only-bytes.js';
import { readFileChunks } from '../util/read-file-chunks.js';
import { archiveImages, type OfferedImage, type OfferedImages } from './archive/archive-images.js';
import { layoutDirectoryImages } from './archive/layout-directory.js';
import { ReceivedArchive } from './archive/received-archive.js';
import { collectContent } from './collect-content.js';
import { type ContentTree, manifestsOf, readContentTree } from './content-tree.js';
import { guardProgress } from './guard-progress.js';
import { saveImage } from './image-names.js';
import type { ImageRecord } from './image-record.js';
import type { ImageServices } from './image-services.js';
import type { LoadProgress, OnLoadProgress } from './load-progress.js';
import { unpackImage } from './store-image.js';

/** How images are loaded. */
export interface LoadOptions extends Abortable {
  /** Name for an image that has none in the archive; there must be one such image only. Default: it stays without. */
  readonly name?: string;
  readonly onProgress?: OnLoadProgress;
}

/** A path of an archive or of a directory, or the bytes of an archive. */
export type LoadSource = string | AsyncIterable<Uint8Array>;

/**
 * Makes images of what another program has saved: all of them, or none.
 *
 * @throws EngineError `INVALID_ARCHIVE` naming the member, `INVALID_MANIFEST`, `DIGEST_MISMATCH`, `SIZE_MISMATCH`,
 * `BLOB_NOT_FOUND`, `PLATFORM_NOT_FOUND`, `INVALID_REFERENCE`, `INVALID_LAYER`, `INVALID_OPTION`, `TOO_LARGE`, `NO_SPACE`.
 */
export async function loadImages(
  services: ImageServices,
  source: LoadSource,
  options: LoadOptions = {},
): Promise<readonly ImageRecord[]> {
  const name = options.name === undefined ? undefined : formatReference(parseReference(options.name));
  const progress = guardProgress(options.onProgress);
  try {
    return await services.holdContent(options.signal, async () => {
      const offered = await offeredImages(services, source, progress, options.signal);
      const images = await unpackAll(services, offered, name, progress, options.signal);
      options.signal?.throwIfAborted();
      for (const image of images) {
        await saveImage(services, image); // from the first of these on there is no return
        services.tell('load', image);
      }
      return images;
    });
  } catch (error) {
    // What was received has no name and never gets one.
    await collectContent(services).catch((failure: unknown) => attachCleanupErrors(error, [failure]));
    throw error;
  }
}

async function offeredImages(
  services: ImageServices,
  source: LoadSource,
  progress: (progress: LoadProgress) => void,
  signal: AbortSignal | undefined,
): Promise<OfferedImages> {
  if (typeof source === 'string' && (await onFile(source, () => stat(source))).isDirectory()) {
    const images = await layoutDirectoryImages(services.content, resolve(source), signal);
    return { images, namesByConfig: new Map() };
  }
  const isPlain = typeof source === 'string' && (await isPlainFile(source));
  const stored =
    typeof source === 'string' ? readFileChunks(source, { reuseChunks: isPlain }) : onlyBytes(source, 'source');
  try {
    const bytes = counted(abortableIterable(stored, signal), progress);
    const plain = isPlain ? bytes : decompress(bytes, { what: 'archive', maxBytes: limits.archiveBytes });
    return await archiveImages(services, await ReceivedArchive.receive(services.content, plain, signal));
  } catch (error) {
    if (!(error instanceof BadCompression)) throw error;
    throw new EngineError('INVALID_ARCHIVE', { entry: '', reason: error.message }, { cause: error });
  }
}

/** What is not compressed can be read with the same memory again and again; a decoder looks at chunks later. */
async function isPlainFile(path: string): Promise<boolean> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readFileChunks(path, { length: 4 })) chunks.push(chunk);
  return compressionOf(Buffer.concat(chunks)) === 'none';
}

const progressIntervalMs = 100;

async function* counted(
  source: AsyncIterable<Uint8Array>,
  progress: (progress: LoadProgress) => void,
): AsyncGenerator<Uint8Array, void, void> {
  let doneBytes = 0;
  let last = Number.NEGATIVE_INFINITY;
  for await (const chunk of source) {
    yield chunk;
    doneBytes += chunk.byteLength;
    const now = performance.now();
    if (now - last < progressIntervalMs) continue;
    last = now;
    progress({ type: 'receiving', doneBytes });
  }
  progress({ type: 'received', totalBytes: doneBytes });
}

async function unpackAll(
  services: ImageServices,
  { images, namesByConfig }: OfferedImages,
  name: string | undefined,
  progress: (progress: LoadProgress) => void,
  signal: AbortSignal | undefined,
): Promise<readonly ImageRecord[]> {
  const named: { readonly image: ImageRecord; readonly names: readonly string[] }[] = [];
  for (const offered of images) {
    const image = await unpack(services, offered, progress, signal);
    named.push({ image, names: [...new Set([...offered.names, ...(namesByConfig.get(image.id) ?? [])])] });
  }
  const nameless = named.filter(({ names }) => names.length === 0);
  if (name !== undefined && nameless.length !== 1) {
    const expected = `an archive with one image that has no name, but ${nameless.length} have none`;
    throw new EngineError('INVALID_OPTION', { option: 'name', expected, got: name });
  }
  return named.flatMap(({ image, names }) => {
    const all = names.length === 0 && name !== undefined ? [name] : names;
    progress({ type: 'loaded', id: image.id, names: all });
    return all.length === 0 ? [image] : all.map((each) => ({ ...image, name: each }));
  });
}

async function unpack(
  services: ImageServices,
  offered: OfferedImage,
  progress: (progress: LoadProgress) => void,
  signal: AbortSignal | undefined,
): Promise<ImageRecord> {
  const tree = await readContentTree(services.content, offered.target);
  await checkSizes(services, tree);
  const image = await unpackImage(services, tree, {
    signal,
    onLayer: (diffId, index, layerCount) => progress({ type: 'unpacked', diffId, index, layerCount }),
  });
  if (image !== undefined) return image;
  const platform = formatPlatform(services.platform);
  throw new EngineError('PLATFORM_NOT_FOUND', { reference: offered.what, platform, available: [] });
}

/** What a manifest says of its blobs is true of those that are here; one that is missing is told by its use. */
async function checkSizes(services: ImageServices, tree: ContentTree): Promise<void> {
  for (const { document } of manifestsOf(tree)) {
    if (document.kind !== 'manifest') continue;
    for (const { digest, size } of [document.config, ...document.layers]) {
      const blob = await services.content.stat(digest);
      if (blob === undefined || blob.size === size) continue;
      throw new EngineError('SIZE_MISMATCH', { what: `blob ${digest}`, expectedBytes: size, actualBytes: blob.size });
    }
  }
}
