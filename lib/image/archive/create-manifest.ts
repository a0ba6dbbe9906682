import type { BlobInfo, ContentStore } from '../../content/content-store.js';
import { mediaTypes } from '../../core/media-types.js';

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
        const mediaType = layerTypes[await compressionOf(content, { digest, size })];
        return { mediaType, digest, size };
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
export async function compressionOf(content: ContentStore, { digest }: BlobInfo): Promise<keyof typeof layerTypes> {
  for await (const chunk of content.read(digest, { length: 4 })) {
    const start = Buffer.from(chunk).toString('hex');
    if (start.startsWith('1f8b')) return 'gzip';
    if (start === '28b52ffd' || /^5.2a4d18$/.test(start)) return 'zstd';
  }
  return 'none';
}
