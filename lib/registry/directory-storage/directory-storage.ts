import type { BlobInfo, BlobWriter, ContentStore, ReadOptions } from '../../content/content-store.js';
import type { Abortable } from '../../core/abortable.js';
import type { Descriptor } from '../../core/descriptor.js';
import type { Digest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import { decodeManifestOrIndex } from '../../core/manifest.js';
import { referrerDescriptor } from '../referrer-descriptor.js';
import type { FetchedManifest } from '../registry-client.js';
import type { RegistryLinks } from '../registry-storage.js';
import { RepositoryDirectory, repositoryNames } from './repository-directory.js';

export interface DirectoryStorageOptions {
  /** Of the repositories' files; made when something is written. */
  readonly directory: string;
  /** Where the bytes are. */
  readonly content: ContentStore;
  /** Does what puts content into repositories; meanwhile nobody removes content that is in none. */
  readonly hold: <T>(work: () => Promise<T>) => Promise<T>;
  /** Removes content other than these digests, unless somebody holds it. */
  readonly removeUnused: (used: () => Promise<ReadonlySet<Digest>>) => Promise<void>;
  readonly now: () => number;
}

/** Uploads of large images take hours; a blob that nothing refers to after a day belongs to none. */
const graceMs = 24 * 60 * 60 * 1000;
const renewMs = 60 * 60 * 1000;
const anything = ['_blobs', '_manifests', '_tags', '_referrers'] as const;

/** {@link RegistryLinks} with a file for each blob, manifest and tag of a repository; the bytes are in a content store. */
export class DirectoryStorage implements RegistryLinks {
  readonly #options: DirectoryStorageOptions;

  constructor(options: DirectoryStorageOptions) {
    this.#options = options;
  }

  async statBlob(repository: string, digest: Digest): Promise<BlobInfo | undefined> {
    const at = this.#at(repository);
    const linkedAt = await at.blobLinkedAt(digest);
    if (linkedAt === undefined) return undefined;
    const now = this.#options.now();
    // Who asks is about to refer to it.
    if (linkedAt < now - renewMs) await at.renewBlob(digest, new Date(now));
    return this.#options.content.stat(digest);
  }

  readBlob(digest: Digest, options: ReadOptions): AsyncIterable<Uint8Array> {
    return this.#options.content.read(digest, options);
  }

  beginBlob(): Promise<BlobWriter> {
    return this.#options.content.write();
  }

  async commitBlob(repository: string, writer: BlobWriter, digest: Digest): Promise<void> {
    await this.#options.hold(async () => {
      await writer.commit(digest);
      await this.#at(repository).linkBlob(digest);
    });
  }

  async mountBlob(repository: string, digest: Digest, from: string): Promise<boolean> {
    return this.#options.hold(async () => {
      if ((await this.statBlob(from, digest)) === undefined) return false;
      await this.#at(repository).linkBlob(digest);
      return true;
    });
  }

  linkBlob(repository: string, digest: Digest): Promise<void> {
    return this.#at(repository).linkBlob(digest);
  }

  deleteBlob(repository: string, digest: Digest): Promise<boolean> {
    return this.#at(repository).unlinkBlob(digest);
  }

  async hasManifest(repository: string, digest: Digest): Promise<boolean> {
    return (await this.#at(repository).manifest(digest)) !== undefined;
  }

  async getManifest(repository: string, reference: string): Promise<FetchedManifest | undefined> {
    const at = this.#at(repository);
    const digest = reference.includes(':') ? (reference as Digest) : await at.tag(reference);
    const found = digest === undefined ? undefined : await at.manifest(digest);
    if (digest === undefined || found === undefined) return undefined;
    const bytes = await this.#options.content.readBytes(digest, limits.manifestBytes);
    return { descriptor: { mediaType: found.mediaType, digest, size: bytes.byteLength }, bytes };
  }

  async putManifest(
    repository: string,
    { descriptor, bytes }: FetchedManifest,
    tags: readonly string[],
    options: Abortable,
  ): Promise<void> {
    const { digest, mediaType, size } = descriptor;
    const document = decodeManifestOrIndex(bytes, mediaType, `manifest ${digest}`);
    const { artifactType, annotations } = referrerDescriptor(document, descriptor);
    const at = this.#at(repository);
    await this.#options.hold(async () => {
      options.signal?.throwIfAborted();
      await using writer = await this.#options.content.write();
      await writer.append(bytes);
      await writer.commit(digest);
      await at.writeManifest(digest, {
        mediaType,
        size,
        ...(document.subject !== undefined && { subject: document.subject.digest }),
        ...(artifactType !== undefined && { artifactType }),
        ...(annotations !== undefined && { annotations }),
      });
      for (const tag of tags) await at.setTag(tag, digest);
    });
  }

  async deleteManifest(repository: string, digest: Digest): Promise<boolean> {
    const at = this.#at(repository);
    for (const tag of await at.tags()) if ((await at.tag(tag)) === digest) await at.removeTag(tag);
    return at.removeManifest(digest);
  }

  async releaseManifest(repository: string, digest: Digest): Promise<void> {
    await this.#at(repository).removeManifest(digest);
  }

  deleteTag(repository: string, tag: string): Promise<boolean> {
    return this.#at(repository).removeTag(tag);
  }

  async listTags(repository: string): Promise<readonly string[] | undefined> {
    const at = this.#at(repository);
    return (await at.exists()) ? at.tags() : undefined;
  }

  listRepositories(): Promise<readonly string[]> {
    return repositoryNames(this.#options.directory, ['_manifests']);
  }

  listReferrers(repository: string, subject: Digest): Promise<readonly Descriptor[]> {
    return this.#at(repository).referrers(subject);
  }

  async collectGarbage(): Promise<void> {
    const before = this.#options.now() - graceMs;
    for (const name of await repositoryNames(this.#options.directory, anything)) {
      const at = this.#at(name);
      await at.removeUnfinished(before);
      const used = await this.#blobsUsed(at);
      for (const blob of await at.blobs()) {
        const linkedAt = await at.blobLinkedAt(blob);
        if (!used.has(blob) && linkedAt !== undefined && linkedAt < before) await at.unlinkBlob(blob);
      }
    }
    await this.#options.removeUnused(() => this.digests());
  }

  async digests(): Promise<ReadonlySet<Digest>> {
    const found = new Set<Digest>();
    for (const name of await repositoryNames(this.#options.directory, anything)) {
      const at = this.#at(name);
      for (const digest of [...(await at.blobs()), ...(await at.manifests())]) found.add(digest);
    }
    return found;
  }

  async #blobsUsed(at: RepositoryDirectory): Promise<ReadonlySet<Digest>> {
    const used = new Set<Digest>();
    for (const digest of await at.manifests()) {
      const what = `manifest ${digest}`;
      const bytes = await this.#options.content.readBytes(digest, limits.manifestBytes).catch(ignoreMissing);
      if (bytes === undefined) continue;
      const document = decodeManifestOrIndex(bytes, undefined, what);
      const referred = document.kind === 'index' ? document.manifests : [document.config, ...document.layers];
      for (const each of referred) used.add(each.digest);
    }
    return used;
  }

  #at(repository: string): RepositoryDirectory {
    return new RepositoryDirectory(this.#options.directory, repository);
  }
}

function ignoreMissing(error: unknown): undefined {
  if (EngineError.is(error, 'BLOB_NOT_FOUND')) return undefined;
  throw error;
}
