import { digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { type FakeRegistry, reply, replyBlob } from './fake-registry.js';

/** A document or blob with the digest under which it is stored. */
export interface Published {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface PublishedLayer {
  /** As stored. */
  readonly blob: Buffer;
  /** What the config claims; default: the digest of the blob, as for an uncompressed layer. */
  readonly diffId?: string;
  /** Default: an uncompressed layer. */
  readonly mediaType?: string;
}

export interface PublishedImage {
  readonly layers: readonly (Buffer | PublishedLayer)[];
  /** `config` of the image's configuration. */
  readonly run?: object;
  /** Changes the documents before their digests are taken. */
  readonly changeConfig?: (config: object) => object;
  readonly changeManifest?: (manifest: object) => object;
}

/** Puts a blob at its place below `repository`. */
export function publishBlob(registry: FakeRegistry, repository: string, mediaType: string, bytes: Buffer): Published {
  const digest = digestOf(bytes);
  registry.script(`/v2/${repository}/blobs/${digest}`, replyBlob(bytes));
  return { mediaType, digest, size: bytes.length };
}

/** Puts any document where a manifest of that tag is looked for; also under its digest. */
export function publishDocument(
  registry: FakeRegistry,
  repository: string,
  tag: string,
  mediaType: string,
  document: object | Buffer,
): Published {
  const bytes = Buffer.isBuffer(document) ? document : Buffer.from(JSON.stringify(document));
  const digest = digestOf(bytes);
  for (const name of [tag, digest]) {
    const headers = { 'content-type': mediaType, 'docker-content-digest': digest };
    registry.script(`/v2/${repository}/manifests/${name}`, reply(200, headers, bytes));
  }
  return { mediaType, digest, size: bytes.length };
}

/** Puts an image there and returns its reference, `HOST/REPOSITORY:1`. */
export function publishImage(registry: FakeRegistry, repository: string, image: PublishedImage): string {
  const layers = image.layers.map((each): PublishedLayer => (Buffer.isBuffer(each) ? { blob: each } : each));
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Cmd: ['/bin/sh'], ...image.run },
    rootfs: { type: 'layers', diff_ids: layers.map(({ blob, diffId }) => diffId ?? digestOf(blob)) },
  };
  const configBytes = Buffer.from(JSON.stringify(image.changeConfig?.(config) ?? config));
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: publishBlob(registry, repository, mediaTypes.ociConfig, configBytes),
    layers: layers.map(({ blob, mediaType }) =>
      publishBlob(registry, repository, mediaType ?? mediaTypes.ociLayer, blob),
    ),
  };
  const document = image.changeManifest?.(manifest) ?? manifest;
  publishDocument(registry, repository, '1', mediaTypes.ociManifest, document);
  return `${registry.host}/${repository}:1`;
}
