import type { Abortable } from '../core/abortable.js';
import type { Descriptor } from '../core/descriptor.js';
import type { Digest } from '../core/digest.js';
import type { Reference } from '../core/reference.js';
import type { Credential } from './credential-source.js';
import type { OnRegistryNotice } from './registry-notice.js';

/** Options of every request to a registry. */
export interface RegistryRequestOptions extends Abortable {
  readonly onNotice?: OnRegistryNotice | undefined;
}

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
  fetchManifest(reference: Reference, options?: RegistryRequestOptions): Promise<FetchedManifest>;
  /** Fetches a manifest of the same repository by digest. Same errors. */
  fetchManifestByDigest(
    reference: Reference,
    digest: Digest,
    options?: RegistryRequestOptions,
  ): Promise<FetchedManifest>;
  /**
   * Opens a blob of the repository at `offset`. Content is verified by the content store, not here.
   * A connection that is cut makes `body` throw `REGISTRY_UNREACHABLE`: ask again with a higher offset.
   */
  fetchBlob(
    reference: Reference,
    descriptor: Descriptor,
    offset: number,
    options?: RegistryRequestOptions,
  ): Promise<FetchedBlob>;
}

/** Looks around in registries. Errors are those of {@link RegistryReader}. @see OCI distribution-spec, "Content Discovery" */
export interface RegistryBrowser {
  /** What a reference names, without its content; undefined when it names nothing. */
  resolveManifest(reference: Reference, options?: RegistryRequestOptions): Promise<Descriptor | undefined>;
  /** True when the repository has the blob. */
  hasBlob(reference: Reference, digest: Digest, options?: RegistryRequestOptions): Promise<boolean>;
  /** Every tag of the repository in the registry's order, page by page. */
  listTags(reference: Reference, options?: RegistryRequestOptions): AsyncIterable<string>;
  /**
   * The manifests whose subject is `digest`, each with its `artifactType` and annotations; those of one type when
   * `artifactType` is given. Empty when there are none, or no such repository.
   */
  listReferrers(
    reference: Reference,
    digest: Digest,
    options?: RegistryRequestOptions & { readonly artifactType?: string },
  ): Promise<readonly Descriptor[]>;
  /** Every repository that the registry shows. @throws EngineError `REGISTRY_UNSUPPORTED` too. */
  listRepositories(registry: string, options?: RegistryRequestOptions): AsyncIterable<string>;
}

export interface PushBlobOptions extends RegistryRequestOptions {
  /** Repositories of the same registry that probably have the blob. Default: none. */
  readonly mountFrom?: readonly string[];
  /** Called with the number of bytes handed over so far; it goes back when a part has to be sent again. */
  readonly onProgress?: ((doneBytes: number) => void) | undefined;
}

/** How a blob came to be in the repository. */
export type PushedBlob =
  | { readonly how: 'existed' | 'uploaded' }
  | { readonly how: 'mounted' /** The other repository. */; readonly from: string };

/** The content of a blob from a byte on. */
export type OpenBlob = (offset: number) => AsyncIterable<Uint8Array>;

/**
 * Writes to registries. Errors are those of {@link RegistryReader}; what is not there is `IMAGE_NOT_FOUND`, what the
 * registry does not do `REGISTRY_UNSUPPORTED`.
 *
 * @see OCI distribution-spec, "Push", "Content Management"
 */
export interface RegistryWriter {
  /**
   * Makes a blob present in the repository: finds it there, mounts it from another repository, or uploads it. An upload
   * that is cut goes on where the registry says that it ended. One that is given up is cancelled at the registry.
   *
   * @throws EngineError `DIGEST_MISMATCH` when the registry has got other bytes than those of the digest.
   */
  pushBlob(
    reference: Reference,
    descriptor: Descriptor,
    open: OpenBlob,
    options?: PushBlobOptions,
  ): Promise<PushedBlob>;
  /**
   * Stores a manifest or index under the tag of the reference, else under its digest. A manifest with a subject is
   * listed among the subject's referrers, also where the registry does not do that itself.
   *
   * @throws EngineError `DIGEST_MISMATCH` when the registry says to have stored something else.
   */
  pushManifest(reference: Reference, manifest: FetchedManifest, options?: RegistryRequestOptions): Promise<void>;
  /** Removes the manifest with the reference's digest, or else its tag. */
  deleteManifest(reference: Reference, options?: RegistryRequestOptions): Promise<void>;
  /** Removes a blob from the repository. */
  deleteBlob(reference: Reference, digest: Digest, options?: RegistryRequestOptions): Promise<void>;
}

/** What a registry has found for a word. */
export interface RegistrySearchResult {
  /** As it is pulled: `nginx`, `localhost:5000/team/app`. */
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  /** True for Docker's own images. */
  readonly official: boolean;
}

export interface RegistrySearchOptions extends RegistryRequestOptions {
  /** At most so many results. */
  readonly limit: number;
}

/** The port to registries. */
export interface RegistryClient extends RegistryReader, RegistryBrowser, RegistryWriter {
  /**
   * Proves a credential to the registry and gives what should be stored of it: an identity token in its place, where the
   * registry gives one.
   *
   * @throws EngineError `REGISTRY_DENIED` for a wrong one, and those of {@link RegistryReader}.
   */
  authenticate(registry: string, credential: Credential, options?: RegistryRequestOptions): Promise<Credential>;
  /** Forgets what was remembered of a registry's access. */
  forget(registry: string): void;
  /**
   * Searches Docker Hub by its search service, other registries by the names of their repositories.
   *
   * @throws EngineError `REGISTRY_UNSUPPORTED` where a registry shows no catalog, and those of {@link RegistryReader}.
   */
  search(registry: string, term: string, options: RegistrySearchOptions): Promise<readonly RegistrySearchResult[]>;
  /** Ends idle connections; the client can be used again. */
  close(): void;
}
