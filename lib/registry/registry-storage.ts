import type { BlobInfo, BlobWriter, ReadOptions } from '../content/content-store.js';
import type { Abortable } from '../core/abortable.js';
import type { Descriptor } from '../core/descriptor.js';
import type { Digest } from '../core/digest.js';
import type { FetchedManifest } from './registry-client.js';

/**
 * The port to what a registry server keeps: repositories of blobs, manifests and tags. A blob or manifest is in a
 * repository only when it was put there: content that another repository has cannot be read by its digest alone.
 *
 * Names of repositories, tags and digests are checked by the server.
 */
export interface RegistryStorage {
  /** Undefined when the repository does not have the blob. */
  statBlob(repository: string, digest: Digest): Promise<BlobInfo | undefined>;
  /** For a blob that {@link statBlob} has found. */
  readBlob(digest: Digest, options: ReadOptions): AsyncIterable<Uint8Array>;
  /** Begins a blob. Nobody sees it before it is committed. */
  beginBlob(): Promise<BlobWriter>;
  /** Puts what was written into the repository, if it is what the digest says. @throws EngineError `DIGEST_MISMATCH`. */
  commitBlob(repository: string, writer: BlobWriter, digest: Digest): Promise<void>;
  /** Puts a blob of the repository `from` into `repository`; false when it is not there. */
  mountBlob(repository: string, digest: Digest, from: string): Promise<boolean>;
  /** False when the repository does not have the blob. */
  deleteBlob(repository: string, digest: Digest): Promise<boolean>;

  hasManifest(repository: string, digest: Digest): Promise<boolean>;
  /** By tag or digest; undefined when the repository does not have it. */
  getManifest(repository: string, reference: string): Promise<FetchedManifest | undefined>;
  /**
   * Puts a manifest into the repository, and its tags on it. What it refers to is there.
   *
   * @throws EngineError when the storage does not take it; `INVALID_MANIFEST` and its like are the client's failure.
   */
  putManifest(
    repository: string,
    manifest: FetchedManifest,
    tags: readonly string[],
    options: Abortable,
  ): Promise<void>;
  /** Removes a manifest and its tags; false when it is not there. */
  deleteManifest(repository: string, digest: Digest): Promise<boolean>;
  /** Takes a tag off its manifest; false when there is no such tag. */
  deleteTag(repository: string, tag: string): Promise<boolean>;

  /** In the order of their bytes; undefined when there is no such repository. */
  listTags(repository: string): Promise<readonly string[] | undefined>;
  /** In the order of their bytes. */
  listRepositories(): Promise<readonly string[]>;
  /** As the registry API lists them. */
  listReferrers(repository: string, subject: Digest): Promise<readonly Descriptor[]>;

  /** Removes blobs that no manifest refers to since long ago. */
  collectGarbage(): Promise<void>;
}

/** A storage whose content is also held by somebody else, who gives and takes. */
export interface RegistryLinks extends RegistryStorage {
  /** Puts a blob into the repository that the content store has. */
  linkBlob(repository: string, digest: Digest): Promise<void>;
  /** Takes a manifest out of the repository; its tags stay. */
  releaseManifest(repository: string, digest: Digest): Promise<void>;
  /** Everything that some repository has. */
  digests(): Promise<ReadonlySet<Digest>>;
}
