/**
 * The media types of images.
 *
 * @see OCI image-spec, media-types.md; Docker "Image Manifest V 2, Schema 2"
 */
export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  dockerForeignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
} as const;

const indexes: ReadonlySet<string> = new Set([mediaTypes.ociIndex, mediaTypes.dockerManifestList]);
const manifests: ReadonlySet<string> = new Set([mediaTypes.ociManifest, mediaTypes.dockerManifest]);
const schema1: ReadonlySet<string> = new Set([mediaTypes.dockerSchema1, mediaTypes.dockerSchema1Signed]);
const configs: ReadonlySet<string> = new Set([mediaTypes.ociConfig, mediaTypes.dockerConfig]);
const nondistributable: ReadonlySet<string> = new Set([
  mediaTypes.dockerForeignLayerGzip,
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
]);
const layers: ReadonlySet<string> = new Set([
  mediaTypes.ociLayer,
  mediaTypes.ociLayerGzip,
  mediaTypes.ociLayerZstd,
  mediaTypes.dockerLayer,
  mediaTypes.dockerLayerGzip,
  mediaTypes.dockerLayerZstd,
  ...nondistributable,
]);

/** What a registry is asked for: manifests and indexes, OCI's and Docker's. */
export const acceptedManifestTypes: readonly string[] = [...manifests, ...indexes];

/** A list of manifests, OCI's or Docker's. */
export function isIndexType(mediaType: string): boolean {
  return indexes.has(mediaType);
}

/** The manifest of one image, OCI's or Docker's schema 2. */
export function isManifestType(mediaType: string): boolean {
  return manifests.has(mediaType);
}

/** Docker's manifest of before 2016, which has no verifiable layers. */
export function isSchema1Type(mediaType: string): boolean {
  return schema1.has(mediaType);
}

/** The configuration of an image that can run. */
export function isImageConfigType(mediaType: string): boolean {
  return configs.has(mediaType);
}

/** A file system layer. How it is compressed is told by its first bytes, not by its type. */
export function isLayerType(mediaType: string): boolean {
  return layers.has(mediaType);
}

/** A layer that its owner allows nobody else to distribute: it is not pushed. */
export function isNondistributableType(mediaType: string): boolean {
  return nondistributable.has(mediaType);
}
