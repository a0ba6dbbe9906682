import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Descriptor } from '#lib/core/descriptor.js';
import { type Digest, digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';

/** A small image in an OCI layout directory, made by hand. */
export interface OciLayout {
  readonly manifest: Descriptor;
  readonly config: object;
  readonly layers: readonly {
    readonly diffId: Digest;
    /** Digest of `bytes`, the compressed layer. */
    readonly digest: Digest;
    readonly bytes: Uint8Array;
  }[];
}

/**
 * Writes the layout that `skopeo copy oci:DIRECTORY:TAG` reads. Layers are compressed here: skopeo would do it on the
 * way and change their digests.
 */
export async function writeOciLayout(
  directory: string,
  tag: string,
  layers: readonly Uint8Array[],
): Promise<OciLayout> {
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
  const add = async (mediaType: string, bytes: Uint8Array): Promise<Descriptor> => {
    const digest = digestOf(bytes);
    await writeFile(join(directory, 'blobs', 'sha256', digest.slice('sha256:'.length)), bytes);
    return { mediaType, digest, size: bytes.byteLength };
  };
  const addJson = (mediaType: string, document: object): Promise<Descriptor> =>
    add(mediaType, Buffer.from(JSON.stringify(document)));

  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin'], Cmd: ['/bin/true'] },
    rootfs: { type: 'layers', diff_ids: layers.map((bytes) => digestOf(bytes)) },
  };
  const compressed = layers.map((bytes) => gzipSync(bytes, { level: 1 }));
  const layerDescriptors = await Promise.all(compressed.map((bytes) => add(mediaTypes.ociLayerGzip, bytes)));
  const manifest = await addJson(mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: await addJson(mediaTypes.ociConfig, config),
    layers: layerDescriptors,
  });
  const annotations = { 'org.opencontainers.image.ref.name': tag };
  const platform = { os: 'linux', architecture: 'amd64' };
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [{ ...manifest, annotations, platform }],
  };
  await writeFile(join(directory, 'index.json'), JSON.stringify(index));
  await writeFile(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return {
    manifest,
    config,
    layers: compressed.map((bytes, at) => ({
      diffId: digestOf(layers[at] ?? ''),
      digest: digestOf(bytes),
      bytes,
    })),
  };
}
