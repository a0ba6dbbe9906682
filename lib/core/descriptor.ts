import type { Digest } from './digest.js';
import type { Platform } from './platform.js';

/** A typed reference to a blob. @see OCI image-spec, descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Size of the blob in bytes. */
  readonly size: number;
  /** Only in an index: for which platform the manifest is. */
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly urls?: readonly string[];
  /** What the manifest that it names holds, when that is no image. */
  readonly artifactType?: string;
}
