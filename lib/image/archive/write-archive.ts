import type { ContentStore, ReadOptions } from '../../content/content-store.js';
import { dockerDocuments, type ImagesLayout, layoutIndex, layoutVersion, type SavedImage } from './layout-of-images.js';
import { encodeTarHeader, padToBlock, tarEnd, tarPadding } from './tar-header.js';

/**
 * Images as one tar archive: an OCI layout, for Docker's format with `manifest.json` and `repositories` beside it, as Docker
 * itself writes it since version 25. It depends on nothing but the images.
 */
export async function* writeArchive(
  content: ContentStore,
  layout: ImagesLayout,
  images: readonly SavedImage[],
  format: 'docker-archive' | 'oci-archive',
  { signal, reuseChunks }: Pick<ReadOptions, 'signal' | 'reuseChunks'>,
): AsyncGenerator<Uint8Array, void, void> {
  const documents = new Map([
    ['oci-layout', layoutVersion()],
    ['index.json', layoutIndex(layout.manifests)],
    ...(format === 'docker-archive' ? dockerDocuments(images) : []),
  ]);
  for (const [name, bytes] of documents) yield* fileOf(name, bytes);
  const paths = [...layout.documents.keys(), ...layout.blobs.keys()];
  const directories = new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/') + 1)));
  for (const name of ['blobs/', ...directories]) yield* encodeTarHeader({ name, mode: 0o755, size: 0, type: '5' });
  for (const [name, bytes] of layout.documents) yield* fileOf(name, bytes);
  for (const [name, { digest, size }] of layout.blobs) {
    yield* encodeTarHeader({ name, mode: 0o644, size, type: '0' });
    yield* content.read(digest, { signal, reuseChunks });
    yield tarPadding(size);
  }
  yield tarEnd();
}

function* fileOf(name: string, bytes: Uint8Array): Generator<Uint8Array, void, void> {
  yield* encodeTarHeader({ name, mode: 0o644, size: bytes.byteLength, type: '0' });
  yield padToBlock(bytes);
}
