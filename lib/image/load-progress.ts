import type { Digest } from '../core/digest.js';

/** What a load tells on its way. */
export type LoadProgress =
  | {
      readonly type: 'receiving';
      /** Bytes of the archive as it comes, compressed or not; at most every 100 ms. */
      readonly doneBytes: number;
    }
  | { readonly type: 'received'; readonly totalBytes: number }
  | { readonly type: 'unpacked'; readonly diffId: Digest; readonly index: number; readonly layerCount: number }
  | {
      /** All images become visible at once, when the last has got so far. */
      readonly type: 'loaded';
      readonly id: Digest;
      readonly names: readonly string[];
    };

/** A listener; what it throws is dropped, since progress must not decide about the load. */
export type OnLoadProgress = (progress: LoadProgress) => void;
