import { type Decoder, listOf, optional, record, text } from '../../core/decode.js';
import { decodeDocument } from '../../core/decode-document.js';
import type { Digest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import { decodeIndex, type ImageIndex } from '../../core/manifest.js';
import { formatReference, parseReference } from '../../core/reference.js';
import type { ImageServices } from '../image-services.js';
import { createManifest } from './create-manifest.js';
import type { ReceivedArchive } from './received-archive.js';

/** An image that an archive offers. */
export interface OfferedImage {
  /** What it is called inside the archive, for errors. */
  readonly what: string;
  /** Digest of an index or manifest in the content store. */
  readonly target: Digest;
  /** Canonical names. */
  readonly names: readonly string[];
}

/** All images of an archive. */
export interface OfferedImages {
  readonly images: readonly OfferedImage[];
  /** Further names, by the digest of the image's configuration. */
  readonly namesByConfig: ReadonlyMap<Digest, readonly string[]>;
}

/** How containerd and Docker name an image in an OCI layout. */
export const containerdName = 'io.containerd.image.name';
/** @see OCI image-spec, annotations.md */
export const refName = 'org.opencontainers.image.ref.name';

/**
 * The images of an archive of either kind. One that is both, as Docker writes it now, is read as an OCI layout whose images
 * have the names that `manifest.json` gives them.
 *
 * @throws EngineError `INVALID_ARCHIVE`, `INVALID_MANIFEST`, `INVALID_REFERENCE`, `TOO_LARGE`.
 */
export async function archiveImages(services: ImageServices, archive: ReceivedArchive): Promise<OfferedImages> {
  const entries = archive.has('manifest.json') ? await dockerEntries(archive) : [];
  if (archive.has('index.json') && archive.has('oci-layout')) {
    checkLayoutVersion(await archive.read('oci-layout', limits.manifestBytes));
    const index = await archive.read('index.json', limits.manifestBytes);
    const named = entries.map(({ config, names }) => [archive.blob(config).digest, names] as const);
    const images = layoutImages(decodeIndex(index, undefined, 'archive, index.json'));
    return { images, namesByConfig: new Map(named) };
  }
  if (entries.length > 0) return { images: await dockerImages(services, archive, entries), namesByConfig: new Map() };
  throw new EngineError('INVALID_ARCHIVE', {
    entry: '',
    reason: 'it has no images: neither index.json nor manifest.json',
  });
}

/** @throws EngineError `INVALID_ARCHIVE`, `INVALID_MANIFEST`. */
export function checkLayoutVersion(bytes: Uint8Array): void {
  const { imageLayoutVersion } = decodeDocument(bytes, record({ imageLayoutVersion: text }), 'archive, oci-layout');
  if (/^1\.\d+\.\d+$/.test(imageLayoutVersion)) return;
  const reason = `version ${imageLayoutVersion.slice(0, 50)} is unknown, supported: 1`;
  throw new EngineError('INVALID_ARCHIVE', { entry: 'oci-layout', reason });
}

/** The images of an OCI layout; several descriptors of one manifest are one image. */
export function layoutImages(index: ImageIndex): readonly OfferedImage[] {
  const names = new Map<Digest, Set<string>>();
  for (const { digest, annotations } of index.manifests) {
    const known = names.get(digest) ?? new Set();
    names.set(digest, known);
    const name = nameOf(annotations ?? {});
    if (name !== undefined) known.add(name);
  }
  return [...names].map(([target, all]) => ({ what: `manifest ${target}`, target, names: [...all] }));
}

/** A bare tag, or any other text, is for who knows the directory: it names nothing by itself. */
function nameOf(annotations: Readonly<Record<string, string>>): string | undefined {
  const docker = annotations[containerdName];
  if (docker !== undefined) return canonical(docker);
  const name = annotations[refName];
  if (name === undefined || !/[:/]/.test(name)) return undefined;
  try {
    return canonical(name);
  } catch (error) {
    if (EngineError.is(error, 'INVALID_REFERENCE')) return undefined;
    throw error;
  }
}

interface DockerEntry {
  readonly config: string;
  readonly layers: readonly string[];
  readonly names: readonly string[];
}

const bounded =
  <T>(list: Decoder<readonly T[]>, most: number): Decoder<readonly T[]> =>
  (value, path) => {
    if (!Array.isArray(value) || value.length <= most) return list(value, path);
    throw new EngineError('CORRUPT_RECORD', { path, expected: `at most ${most} entries` });
  };

const dockerManifest = bounded(
  listOf(
    record({
      Config: text,
      RepoTags: optional(bounded(listOf(text), limits.indexEntries)),
      Layers: optional(bounded(listOf(text), limits.layers)),
    }),
  ),
  limits.indexEntries,
);

/** @see Docker "Image Specification v1.2", combined image JSON + filesystem changeset format */
async function dockerEntries(archive: ReceivedArchive): Promise<readonly DockerEntry[]> {
  const bytes = await archive.read('manifest.json', limits.manifestBytes);
  return decodeDocument(bytes, dockerManifest, 'archive, manifest.json').map(({ Config, RepoTags, Layers }) => ({
    config: Config,
    layers: Layers ?? [],
    names: (RepoTags ?? []).map(canonical),
  }));
}

async function dockerImages(
  services: ImageServices,
  archive: ReceivedArchive,
  entries: readonly DockerEntry[],
): Promise<readonly OfferedImage[]> {
  const images: OfferedImage[] = [];
  for (const { config, layers, names } of entries) {
    const stored = { config: archive.blob(config), layers: layers.map((path) => archive.blob(path)) };
    const { digest } = await createManifest(services.content, stored);
    images.push({ what: `archive, '${config.slice(0, 300)}'`, target: digest, names });
  }
  return images;
}

/** @throws EngineError `INVALID_REFERENCE`. */
function canonical(name: string): string {
  const reference = parseReference(name);
  if (reference.digest === undefined) return formatReference(reference);
  const reason = 'an archive cannot give a name with a digest';
  throw new EngineError('INVALID_REFERENCE', { reference: name.slice(0, 300), reason });
}
