import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';

/** A small image in an OCI layout directory, made by hand. Its layers are arbitrary bytes of type `tar`. */
export interface OciLayout {
  readonly manifestDigest: Digest;
  readonly config: object;
  readonly layers: readonly { readonly digest: Digest; readonly bytes: Uint8Array }[];
}

/** Writes the layout that `skopeo copy oci:DIRECTORY:TAG` reads. */
export async function writeOciLayout(
  directory: string,
  tag: string,
  layers: readonly Uint8Array[],
): Promise<OciLayout> {
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
  const add = async (mediaType: string, bytes: Uint8Array): Promise<OciDescriptor> => {
    const digest = digestOf(bytes);
    await writeFile(join(directory, 'blobs', 'sha256', digest.slice('sha256:'.length)), bytes);
    return { mediaType, digest, size: bytes.byteLength };
  };
  const addJson = (mediaType: string, document: object): Promise<OciDescriptor> =>
    add(mediaType, Buffer.from(JSON.stringify(document)));

  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin'], Cmd: ['/bin/true'] },
    rootfs: { type: 'layers', diff_ids: layers.map((bytes) => digestOf(bytes)) },
  };
  const layerDescriptors = await Promise.all(layers.map((bytes) => add(mediaTypes.ociLayer, bytes)));
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
    manifestDigest: manifest.digest,
    config,
    layers: layers.map((bytes) => ({ digest: digestOf(bytes), bytes })),
  };
}

interface OciDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}
