import type { Abortable } from '../core/abortable.js';
import type { Descriptor } from '../core/descriptor.js';
import type { Digest } from '../core/digest.js';
import type { Reference } from '../core/reference.js';

/** A manifest or index exactly as the registry sent it, verified against its digest. */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** A part of a blob: `body` starts at `offset` (0 when the registry ignored the range that was asked for). */
export interface FetchedBlob {
  readonly offset: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Reads from registries. @see OCI distribution-spec, "Pull" */
export interface RegistryReader {
  /**
   * Fetches what a reference names: by its digest if it has one, else by its tag.
   *
   * @throws EngineError `IMAGE_NOT_FOUND`, `REGISTRY_DENIED`, `REGISTRY_RATE_LIMITED`, `REGISTRY_FAILED`,
   * `REGISTRY_UNREACHABLE`, `REGISTRY_PROTOCOL`, `CREDENTIALS_FAILED`, `DIGEST_MISMATCH`, `TOO_LARGE`;
   * `INVALID_MANIFEST` and `UNSUPPORTED_MEDIA_TYPE` for what is neither a manifest nor an index.
   */
  fetchManifest(reference: Reference, options?: Abortable): Promise<FetchedManifest>;
  /** Fetches a manifest of the same repository by digest. Same errors. */
  fetchManifestByDigest(reference: Reference, digest: Digest, options?: Abortable): Promise<FetchedManifest>;
  /**
   * Opens a blob of the repository at `offset`. Content is verified by the content store, not here.
   * A connection that is cut makes `body` throw `REGISTRY_UNREACHABLE`: ask again with a higher offset.
   */
  fetchBlob(reference: Reference, descriptor: Descriptor, offset: number, options?: Abortable): Promise<FetchedBlob>;
}

/** The port to registries. */
export interface RegistryClient extends RegistryReader {
  /** Ends idle connections; the client can be used again. */
  close(): void;
}
