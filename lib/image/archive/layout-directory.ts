import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContentStore } from '../../content/content-store.js';
import type { Descriptor } from '../../core/descriptor.js';
import { splitDigest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import { decodeIndex, decodeManifestOrIndex } from '../../core/manifest.js';
import { isIndexType, isManifestType } from '../../core/media-types.js';
import { isMissing, onFile } from '../../util/file-error.js';
import { checkLayoutVersion, layoutImages, type OfferedImage } from './archive-images.js';

/**
 * Takes the blobs of all images of an OCI layout directory into the content store. Only regular files below `directory`
 * are read, by the digests that manifests say.
 *
 * @throws EngineError `INVALID_ARCHIVE` naming the file, `INVALID_MANIFEST`, `DIGEST_MISMATCH`, `SIZE_MISMATCH`.
 * @see OCI image-spec, image-layout.md
 */
export async function layoutDirectoryImages(
  content: ContentStore,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<readonly OfferedImage[]> {
  checkLayoutVersion(await readDocument(directory, 'oci-layout'));
  const index = decodeIndex(await readDocument(directory, 'index.json'), undefined, 'index.json');
  const budget = { left: limits.indexEntries };
  for (const each of index.manifests) await takeTree({ content, directory, signal, budget }, each, 0);
  return layoutImages(index);
}

interface Taking {
  readonly content: ContentStore;
  readonly directory: string;
  readonly signal: AbortSignal | undefined;
  readonly budget: { left: number };
}

async function takeTree(taking: Taking, descriptor: Descriptor, depth: number): Promise<void> {
  taking.budget.left -= 1;
  if (taking.budget.left < 0 || depth > limits.indexDepth) {
    throw new EngineError('INVALID_ARCHIVE', { entry: 'index.json', reason: 'it is too deep or too wide' });
  }
  const isDocument = isIndexType(descriptor.mediaType) || isManifestType(descriptor.mediaType);
  if (isDocument && descriptor.size > limits.manifestBytes) {
    throw new EngineError('TOO_LARGE', { what: `manifest ${descriptor.digest}`, maxBytes: limits.manifestBytes });
  }
  // An index lists images of other machines that need not be here.
  if (!(await take(taking, descriptor, depth > 0)) || !isDocument) return;
  const bytes = await taking.content.readBytes(descriptor.digest, limits.manifestBytes);
  const document = decodeManifestOrIndex(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`);
  if (document.kind === 'index') {
    for (const each of document.manifests) await takeTree(taking, each, depth + 1);
    return;
  }
  for (const each of [document.config, ...document.layers]) await take(taking, each, depth > 0);
}

/** False when it is not there and need not be. */
async function take(
  { content, directory, signal }: Taking,
  descriptor: Descriptor,
  isOptional: boolean,
): Promise<boolean> {
  const name = join('blobs', ...splitDigest(descriptor.digest));
  if ((await content.stat(descriptor.digest)) !== undefined) return true;
  const file = await openFile(directory, name);
  if (file === undefined) {
    if (isOptional) return false;
    throw new EngineError('INVALID_ARCHIVE', { entry: name, reason: 'it is named, but not there' });
  }
  try {
    const read = async function* (offset: number): AsyncGenerator<Uint8Array, void, void> {
      yield* file.createReadStream({ start: offset, autoClose: false, highWaterMark: 256 * 1024 });
    };
    await content.ingest(descriptor, async (offset) => ({ offset, body: read(offset) }), { signal });
    return true;
  } finally {
    await file.close();
  }
}

async function readDocument(directory: string, name: string): Promise<Uint8Array> {
  const file = await openFile(directory, name);
  if (file === undefined) throw new EngineError('INVALID_ARCHIVE', { entry: name, reason: 'it is not there' });
  try {
    const path = join(directory, name);
    const { size } = await onFile(path, () => file.stat());
    if (size > limits.manifestBytes) throw new EngineError('TOO_LARGE', { what: name, maxBytes: limits.manifestBytes });
    return await onFile(path, () => file.readFile());
  } finally {
    await file.close();
  }
}

/** A file that somebody else has made: never a link, never one that an open waits for. */
async function openFile(directory: string, name: string): Promise<FileHandle | undefined> {
  const path = join(directory, name);
  const refused = (reason: string): EngineError => new EngineError('INVALID_ARCHIVE', { entry: name, reason });
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (['ELOOP', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw refused('it is no regular file');
    return onFile(path, () => Promise.reject(error));
  }
  try {
    if (!(await onFile(path, () => file.stat())).isFile()) throw refused('it is no regular file');
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
