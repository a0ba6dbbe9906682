import type { Digest } from '../core/digest.js';
import type { RegistryNotice } from '../registry/registry-notice.js';

/** What a push tells on its way. Totals are known from `resolved` on. */
export type PushProgress =
  | {
      readonly type: 'resolved';
      /** Where it goes, in full. */
      readonly reference: string;
      /** What it will be there: digest of an index or a manifest. */
      readonly digest: Digest;
      readonly manifestCount: number;
      readonly blobCount: number;
      /** Bytes of all blobs. */
      readonly totalBytes: number;
    }
  | { readonly type: 'existed'; readonly digest: Digest; readonly totalBytes: number }
  | {
      readonly type: 'mounted';
      readonly digest: Digest;
      readonly totalBytes: number;
      /** The repository of the same registry that has it. */
      readonly from: string;
    }
  | {
      readonly type: 'uploading';
      readonly digest: Digest;
      /** Goes back when a part has to be sent again. */
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  | { readonly type: 'uploaded'; readonly digest: Digest; readonly totalBytes: number }
  | { readonly type: 'manifest'; readonly digest: Digest; readonly mediaType: string }
  | { readonly type: 'complete'; readonly digest: Digest }
  | RegistryNotice;

/** A listener; what it throws is dropped, since progress must not decide about the push. */
export type OnPushProgress = (progress: PushProgress) => void;
