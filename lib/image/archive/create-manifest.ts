import type { BlobInfo, ContentStore } from '../../content/content-store.js';
import type { Digest } from '../../core/digest.js';
import { mediaTypes } from '../../core/media-types.js';
import { compressionOf } from '../../layers/compression/compression-of.js';

/** Stores the manifest of an image whose configuration and layers (lowest first) are blobs already. */
export async function createManifest(
  content: ContentStore,
  { config, layers }: { readonly config: BlobInfo; readonly layers: readonly BlobInfo[] },
): Promise<BlobInfo> {
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config.digest, size: config.size },
    layers: await Promise.all(
      layers.map(async ({ digest, size }) => {
        return { mediaType: layerTypes[await blobCompression(content, digest)], digest, size };
      }),
    ),
  };
  return content.put(Buffer.from(JSON.stringify(manifest)));
}

const layerTypes = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
} as const;

/** By its first bytes, as it is unpacked, too. */
export async function blobCompression(
  content: ContentStore,
  digest: Digest,
): Promise<ReturnType<typeof compressionOf>> {
  for await (const chunk of content.read(digest, { length: 4 })) return compressionOf(chunk);
  return 'none';
}
