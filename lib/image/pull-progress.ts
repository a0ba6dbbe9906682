import type { Digest } from '../core/digest.js';
import type { RegistryNotice } from '../registry/registry-notice.js';

/** What a pull tells on its way. Totals are known from `resolved` on. */
export type PullProgress =
  | { readonly type: 'resolving'; readonly reference: string }
  | {
      readonly type: 'resolved';
      readonly digest: Digest;
      readonly layerCount: number;
      /** Bytes of all layers as they are stored at the registry. */
      readonly totalBytes: number;
    }
  | {
      readonly type: 'downloading';
      readonly digest: Digest;
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  | { readonly type: 'unpacked'; readonly diffId: Digest; readonly index: number; readonly layerCount: number }
  | { readonly type: 'complete'; readonly id: Digest }
  | RegistryNotice;

/** A listener; what it throws is dropped, since progress must not decide about the pull. */
export type OnPullProgress = (progress: PullProgress) => void;
