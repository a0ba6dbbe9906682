import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ContentStore } from '../../content/content-store.js';
import type { Descriptor } from '../../core/descriptor.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import { decodeIndex } from '../../core/manifest.js';
import { writeFileAtomically } from '../../util/atomic-file.js';
import { isMissing, onFile } from '../../util/file-error.js';
import { checkLayoutVersion, refName } from './archive-images.js';
import { type ImagesLayout, layoutIndex, layoutVersion } from './layout-of-images.js';

/**
 * Adds images to the OCI layout directory `directory`, which is made if missing. A name that another image has there moves.
 * `index.json` is written last: until then nothing of it is visible.
 *
 * @throws EngineError `INVALID_ARCHIVE` when the directory holds something else, `NO_SPACE`.
 * @see OCI image-spec, image-layout.md
 */
export async function writeLayout(
  content: ContentStore,
  layout: ImagesLayout,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await onFile(directory, () => mkdir(directory, { recursive: true }));
  const before = await manifestsIn(directory);
  for (const [name, bytes] of layout.documents) {
    await addFile(
      directory,
      name,
      bytes.byteLength,
      async function* () {
        yield bytes;
      },
      signal,
    );
  }
  for (const [name, { digest, size }] of layout.blobs) {
    await addFile(directory, name, size, () => content.read(digest, { signal, reuseChunks: true }), signal);
  }
  const taken = new Set(layout.manifests.map(({ annotations }) => annotations?.[refName]));
  const digests = new Set(layout.manifests.map(({ digest }) => digest));
  const others = before.filter(({ digest, annotations }) => {
    const name = annotations?.[refName];
    return name === undefined ? !digests.has(digest) : !taken.has(name);
  });
  await write(directory, 'oci-layout', layoutVersion());
  signal?.throwIfAborted();
  await write(directory, 'index.json', layoutIndex([...others, ...layout.manifests])); // the point of no return
}

async function manifestsIn(directory: string): Promise<readonly Descriptor[]> {
  const version = await readOptional(join(directory, 'oci-layout'));
  if (version !== undefined) checkLayoutVersion(version);
  const index = await readOptional(join(directory, 'index.json'));
  return index === undefined ? [] : decodeIndex(index, undefined, 'index.json').manifests;
}

async function readOptional(path: string): Promise<Uint8Array | undefined> {
  try {
    const { size } = await stat(path);
    if (size > limits.manifestBytes) throw new EngineError('TOO_LARGE', { what: path, maxBytes: limits.manifestBytes });
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    return onFile(path, () => Promise.reject(error));
  }
}

async function addFile(
  directory: string,
  name: string,
  size: number,
  read: () => AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const path = join(directory, name);
  const known = await stat(path).catch((error: unknown) => (isMissing(error) ? undefined : Promise.reject(error)));
  if (known?.isFile() === true && known.size === size) return;
  await onFile(path, () => mkdir(dirname(path), { recursive: true }));
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await onFile(path, () => writeFile(temporary, read(), { signal, flush: true }));
    await onFile(path, () => rename(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

const write = (directory: string, name: string, bytes: Uint8Array): Promise<void> =>
  onFile(join(directory, name), () => writeFileAtomically(join(directory, name), bytes));
