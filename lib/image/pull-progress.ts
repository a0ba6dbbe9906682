import type { Digest } from '../core/digest.js';

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
  | { readonly type: 'complete'; readonly id: Digest };

/** A listener; what it throws is dropped, since progress must not decide about the pull. */
export type OnPullProgress = (progress: PullProgress) => void;

/** Guards the work against its listener. */
export function guardProgress(listener: OnPullProgress | undefined): OnPullProgress {
  return (progress) => {
    try {
      listener?.(progress);
    } catch {
      // documented above: a listener that throws changes nothing
    }
  };
}
