import { randomBytes } from 'node:crypto';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Abortable } from '../core/abortable.js';
import { attachCleanupErrors } from '../core/errors/attach-cleanup-errors.js';
import { EngineError } from '../core/errors/engine-error.js';
import { syncDirectory } from '../util/atomic-file.js';
import { onFile } from '../util/file-error.js';
import { archiveNames, layoutOfImages, type SavedImage } from './archive/layout-of-images.js';
import { writeArchive } from './archive/write-archive.js';
import { writeLayout } from './archive/write-layout.js';
import type { ImageServices } from './image-services.js';
import { isNameOf } from './is-name-of.js';

/** How images are saved. */
export interface SaveOptions extends Abortable {
  /**
   * `docker-archive`: a tar archive for `docker load`, podman and skopeo; it is an OCI layout, too. `oci-archive`: a tar
   * archive of an OCI layout alone. `oci-layout`: such a layout in a directory, where images of other names stay. Default
   * `docker-archive`.
   */
  readonly format?: 'docker-archive' | 'oci-archive' | 'oci-layout';
}

/** A path, or for archives a stream, which is ended. */
export type SaveTarget = string | Writable;

/**
 * Writes images, with blobs as they came from their registry, so that another engine can load them. Of an image for several
 * machines the one that is here is written.
 *
 * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`, `INVALID_OPTION`, `BLOB_NOT_FOUND`, `NO_SPACE`; what the stream
 * fails with. A file appears when it is whole, or not at all.
 */
export async function saveImages(
  services: ImageServices,
  references: readonly string[],
  target: SaveTarget,
  options: SaveOptions = {},
): Promise<void> {
  const { format = 'docker-archive', signal } = options;
  const formats = ['docker-archive', 'oci-archive', 'oci-layout'];
  if (!formats.includes(format)) throw invalid('format', formats.join(', '), format);
  if (references.length === 0) throw invalid('names', 'at least one image', '[]');
  if (format === 'oci-layout' && typeof target !== 'string')
    throw invalid('target', 'a path for oci-layout', 'a stream');
  await services.holdContent(signal, async () => {
    const images = await chooseImages(services, references);
    const layout = await layoutOfImages(services.content, images);
    await writeImages(services, layout, images, target, format, signal);
    for (const { image } of images) services.tell('save', image);
  });
}

async function writeImages(
  services: ImageServices,
  layout: Awaited<ReturnType<typeof layoutOfImages>>,
  images: readonly SavedImage[],
  target: SaveTarget,
  format: NonNullable<SaveOptions['format']>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (format === 'oci-layout') return writeLayout(services.content, layout, resolve(String(target)), signal);
  const isFile = typeof target === 'string';
  // A stream may keep chunks for any time; a file has been written when the next chunk is asked for.
  const archive = writeArchive(services.content, layout, images, format, { signal, reuseChunks: isFile });
  if (isFile) return writeArchiveFile(resolve(target), archive, signal);
  return pipeline(Readable.from(archive), target, { signal });
}

/** An image that is asked for by a name has that name, by its id all that it has; each once. */
async function chooseImages(services: ImageServices, references: readonly string[]): Promise<readonly SavedImage[]> {
  const chosen = new Map<string, { readonly image: SavedImage['image']; readonly names: Set<string> }>();
  for (const reference of references) {
    const image = await services.images.resolve(reference);
    const records = isNameOf(reference, image)
      ? [image]
      : (await services.images.list()).filter((each) => each.id === image.id);
    const { names } = chosen.get(image.id) ?? { names: new Set<string>() };
    for (const name of archiveNames(records)) names.add(name);
    chosen.set(image.id, { image, names });
  }
  return [...chosen.values()].map(({ image, names }) => ({ image, names: [...names] }));
}

async function writeArchiveFile(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = await onFile(path, () => open(temporary, 'wx', 0o600));
    try {
      await onFile(path, () => writeFile(file, bytes, { signal }));
      await onFile(path, () => file.sync());
    } finally {
      await file.close();
    }
    await onFile(path, () => rename(temporary, path));
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch((failure: unknown) => attachCleanupErrors(error, [failure]));
    throw error;
  }
}

const invalid = (option: string, expected: string, got: string): EngineError =>
  new EngineError('INVALID_OPTION', { option, expected, got: String(got).slice(0, 200) });
