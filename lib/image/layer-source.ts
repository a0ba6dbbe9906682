import type { ContentStore } from '../content/content-store.js';
import type { Digest } from '../core/digest.js';
import type { LayerSource } from '../layers/layer-store.js';

/** A layer that is stored as a blob, or will be as soon as `download` is done. */
export function layerSource(
  content: ContentStore,
  { digest, diffId }: { readonly digest: Digest; readonly diffId: Digest },
  download?: Promise<void>,
): LayerSource {
  return {
    diffId,
    file: async () => {
      await download;
      return content.file(digest);
    },
    async *open() {
      await download;
      yield* content.read(digest);
    },
  };
}
