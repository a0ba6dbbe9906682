import { type Digest, digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { hostPlatform } from '#lib/core/platform.js';
import { type TarMember, tarOf } from './tar-builder.js';

/** A small image as members of archives, for tests that change them. */
export interface ImageArchive {
  readonly id: Digest;
  /** Its only layer, uncompressed. */
  readonly layer: Buffer;
  /** As Docker wrote it before version 25. */
  readonly docker: readonly TarMember[];
  readonly layerPath: string;
  /** As an OCI layout. */
  readonly oci: readonly TarMember[];
  readonly manifestPath: string;
  readonly layerBlobPath: string;
}

/** @param name - with tag, as Docker shows it. */
export function imageArchive(name: string): ImageArchive {
  const layer = tarOf({ name: 'name', content: name });
  const config = JSON.stringify({
    ...hostPlatform(),
    config: { Cmd: ['hang'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  });
  const id = digestOf(config);
  const hex = (digest: string): string => digest.slice('sha256:'.length);
  const layerPath = `${hex(digestOf(layer))}/layer.tar`;
  const docker: TarMember[] = [
    { name: `${hex(id)}.json`, content: config },
    { name: layerPath, content: layer },
    {
      name: 'manifest.json',
      content: JSON.stringify([{ Config: `${hex(id)}.json`, RepoTags: [name], Layers: [layerPath] }]),
    },
  ];
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: id, size: config.length },
    layers: [{ mediaType: mediaTypes.ociLayer, digest: digestOf(layer), size: layer.length }],
  });
  const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(manifest), size: manifest.length };
  const annotations = { 'org.opencontainers.image.ref.name': name };
  const index = { schemaVersion: 2, manifests: [{ ...descriptor, annotations }] };
  const blob = (content: string | Buffer): TarMember => ({
    name: `blobs/sha256/${hex(digestOf(content))}`,
    content,
  });
  const [manifestBlob, layerBlob] = [blob(manifest), blob(layer)];
  return {
    id,
    layer,
    docker,
    layerPath,
    oci: [
      { name: 'oci-layout', content: JSON.stringify({ imageLayoutVersion: '1.0.0' }) },
      { name: 'index.json', content: JSON.stringify(index) },
      blob(config),
      manifestBlob,
      layerBlob,
    ],
    manifestPath: String(manifestBlob.name),
    layerBlobPath: String(layerBlob.name),
  };
}
