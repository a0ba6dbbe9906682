import type { ContentStore } from '../../content/content-store.js';
import type { Descriptor } from '../../core/descriptor.js';
import { type Digest, digestOf, splitDigest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import { decodeManifest } from '../../core/manifest.js';
import { mediaTypes } from '../../core/media-types.js';
import { parseReference } from '../../core/reference.js';
import { configOf, type ImageRecord, isNamed } from '../image-record.js';
import { containerdName, refName } from './archive-images.js';

/** Images as files of an OCI layout: documents in memory, layers and configurations in the content store. */
export interface ImagesLayout {
  /** What `index.json` lists. */
  readonly manifests: readonly Descriptor[];
  /** By the path inside the layout. */
  readonly documents: ReadonlyMap<string, Uint8Array>;
  readonly blobs: ReadonlyMap<string, Descriptor>;
}

/** An image with the names under which it is saved. */
export interface SavedImage {
  readonly image: ImageRecord;
  /** Canonical. */
  readonly names: readonly string[];
}

/**
 * Each image of this machine's platform as OCI's media types have it; what came with Docker's gets a manifest of its own.
 *
 * @throws EngineError `BLOB_NOT_FOUND`.
 * @see OCI image-spec, image-layout.md
 */
export async function layoutOfImages(content: ContentStore, images: readonly SavedImage[]): Promise<ImagesLayout> {
  const manifests: Descriptor[] = [];
  const documents = new Map<string, Uint8Array>();
  const blobs = new Map<string, Descriptor>();
  for (const { image, names } of images) {
    const stored = await content.readBytes(image.manifest, limits.manifestBytes);
    const manifest = decodeManifest(stored, undefined, `manifest ${image.manifest}`);
    for (const each of [manifest.config, ...manifest.layers]) {
      if ((await content.stat(each.digest)) === undefined) {
        throw new EngineError('BLOB_NOT_FOUND', { digest: each.digest });
      }
      blobs.set(blobPath(each.digest), each);
    }
    const bytes = manifest.mediaType === mediaTypes.ociManifest ? stored : toOciManifest(stored);
    const digest = digestOf(bytes);
    documents.set(blobPath(digest), bytes);
    const { os, architecture, variant } = configOf(image);
    const platform = { os, architecture, ...(variant !== undefined && variant !== '' && { variant }) };
    const descriptor = { mediaType: mediaTypes.ociManifest, digest, size: bytes.byteLength, platform };
    if (names.length === 0) manifests.push(descriptor);
    for (const name of names)
      manifests.push({ ...descriptor, annotations: { [containerdName]: name, [refName]: name } });
  }
  return { manifests, documents, blobs };
}

/** `index.json` of these manifests. */
export function layoutIndex(manifests: readonly Descriptor[]): Uint8Array {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
}

export const layoutVersion = (): Uint8Array => Buffer.from(JSON.stringify({ imageLayoutVersion: '1.0.0' }));

export const blobPath = (digest: Digest): string => `blobs/${splitDigest(digest).join('/')}`;

/**
 * `manifest.json` and `repositories`, by which Docker reads an archive. Names are in full: to podman a short one is
 * of `localhost`.
 *
 * @see Docker "Image Specification v1.2", combined image JSON + filesystem changeset format
 */
export function dockerDocuments(images: readonly SavedImage[]): ReadonlyMap<string, Uint8Array> {
  const repositories: Record<string, Record<string, string>> = {};
  const manifest = images.map(({ image, names }) => {
    for (const { registry, repository, tag = '' } of names.map(parseReference)) {
      const name = `${registry}/${repository}`;
      repositories[name] = { ...repositories[name], [tag]: splitDigest(image.id)[1] };
    }
    return {
      Config: blobPath(image.id),
      RepoTags: names,
      Layers: image.layers.map(({ digest }) => blobPath(digest)),
    };
  });
  const toBytes = (document: object): Uint8Array => Buffer.from(JSON.stringify(document));
  return new Map([
    ['manifest.json', toBytes(manifest)],
    ['repositories', toBytes(repositories)],
  ]);
}

/** Names that an archive can give: those with a tag. A name with a digest says where the image came from. */
export const archiveNames = (records: readonly ImageRecord[]): readonly string[] =>
  records
    .filter(isNamed)
    .map(({ name }) => name)
    .filter((name) => parseReference(name).digest === undefined);

const ociTypes: Readonly<Record<string, string>> = {
  [mediaTypes.dockerConfig]: mediaTypes.ociConfig,
  [mediaTypes.dockerLayer]: mediaTypes.ociLayer,
  [mediaTypes.dockerLayerGzip]: mediaTypes.ociLayerGzip,
  [mediaTypes.dockerLayerZstd]: mediaTypes.ociLayerZstd,
  [mediaTypes.dockerForeignLayerGzip]: mediaTypes.ociLayerGzip, // it is in the archive, so it is like any other
};

/** The same blobs by OCI's types. */
function toOciManifest(bytes: Uint8Array): Uint8Array {
  const { config, layers, annotations } = decodeManifest(bytes, undefined, 'manifest');
  const convert = ({ mediaType, digest, size }: Descriptor): Descriptor => ({
    mediaType: ociTypes[mediaType] ?? mediaType,
    digest,
    size,
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: convert(config),
    layers: layers.map(convert),
    ...(annotations !== undefined && { annotations }),
  };
  return Buffer.from(JSON.stringify(manifest));
}
