import type { Descriptor } from '../../core/descriptor.js';
import { type Digest, digestOf } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { decodeManifestOrIndex } from '../../core/manifest.js';
import { formatFamiliarReference, type Reference } from '../../core/reference.js';
import { verifyDigest } from '../../core/verify-digest.js';
import type { Credential } from '../credential-source.js';
import { referrerDescriptor } from '../referrer-descriptor.js';
import type {
  FetchedBlob,
  FetchedManifest,
  OpenBlob,
  PushBlobOptions,
  PushedBlob,
  RegistryClient,
  RegistryRequestOptions,
  RegistrySearchOptions,
  RegistrySearchResult,
} from '../registry-client.js';

const chunkBytes = 64 * 1024;

interface Repository {
  readonly blobs: Map<Digest, Uint8Array>;
  readonly manifests: Map<Digest, Uint8Array>;
  readonly tags: Map<string, Digest>;
}

/** A registry in memory, of every host's name: the fake of {@link RegistryClient}. */
export class MemoryRegistryClient implements RegistryClient {
  readonly #repositories = new Map<string, Repository>();
  readonly #passwords = new Map<string, string>();

  /** From now on a registry takes only this user's password. Reading and writing stay open to all. */
  addUser(registry: string, username: string, password: string): void {
    this.#passwords.set(`${registry} ${username}`, password);
  }

  /** Adds a blob to the repository of `reference`. */
  addBlob(reference: Reference, bytes: Uint8Array, mediaType: string): Descriptor {
    const digest = digestOf(bytes);
    this.#repository(reference).blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.byteLength };
  }

  /** Adds a manifest or index, under its digest and under the tag of `reference`, if it has one. */
  addManifest(reference: Reference, document: object): Descriptor {
    return this.#store(reference, Buffer.from(JSON.stringify(document)));
  }

  async fetchManifest(reference: Reference, options: RegistryRequestOptions = {}): Promise<FetchedManifest> {
    options.signal?.throwIfAborted();
    const bytes = this.#find(reference);
    if (bytes === undefined) throw notFound(reference, formatFamiliarReference(reference));
    return { descriptor: describe(bytes), bytes };
  }

  fetchManifestByDigest(
    reference: Reference,
    digest: Digest,
    options: RegistryRequestOptions = {},
  ): Promise<FetchedManifest> {
    const { registry, repository } = reference;
    return this.fetchManifest({ registry, repository, digest }, options);
  }

  async fetchBlob(
    reference: Reference,
    descriptor: Descriptor,
    offset: number,
    options: RegistryRequestOptions = {},
  ): Promise<FetchedBlob> {
    options.signal?.throwIfAborted();
    const bytes = this.#known(reference)?.blobs.get(descriptor.digest);
    if (bytes === undefined) throw notFound(reference, `${formatFamiliarReference(reference)}, ${descriptor.digest}`);
    return { offset, body: chunks(bytes.subarray(offset), options) };
  }

  async resolveManifest(reference: Reference, options: RegistryRequestOptions = {}): Promise<Descriptor | undefined> {
    options.signal?.throwIfAborted();
    const bytes = this.#find(reference);
    return bytes === undefined ? undefined : describe(bytes);
  }

  async hasBlob(reference: Reference, digest: Digest, options: RegistryRequestOptions = {}): Promise<boolean> {
    options.signal?.throwIfAborted();
    return this.#known(reference)?.blobs.has(digest) ?? false;
  }

  async *listTags(reference: Reference, options: RegistryRequestOptions = {}): AsyncGenerator<string, void, void> {
    options.signal?.throwIfAborted();
    const repository = this.#known(reference);
    if (repository === undefined) throw notFound(reference, `${reference.registry}/${reference.repository}`);
    yield* [...repository.tags.keys()].sort();
  }

  async *listRepositories(registry: string, options: RegistryRequestOptions = {}): AsyncGenerator<string, void, void> {
    options.signal?.throwIfAborted();
    const prefix = `${registry}/`;
    const keys = [...this.#repositories.keys()].filter((key) => key.startsWith(prefix)).sort();
    yield* keys.map((key) => key.slice(prefix.length));
  }

  async listReferrers(
    reference: Reference,
    digest: Digest,
    options: RegistryRequestOptions & { readonly artifactType?: string } = {},
  ): Promise<readonly Descriptor[]> {
    options.signal?.throwIfAborted();
    const manifests = [...(this.#known(reference)?.manifests.values() ?? [])];
    const listed = manifests.flatMap((bytes) => {
      const document = decodeManifestOrIndex(bytes, undefined, 'manifest');
      return document.subject?.digest === digest ? [referrerDescriptor(document, describe(bytes))] : [];
    });
    const { artifactType } = options;
    return artifactType === undefined ? listed : listed.filter((each) => each.artifactType === artifactType);
  }

  async pushBlob(
    reference: Reference,
    descriptor: Descriptor,
    open: OpenBlob,
    options: PushBlobOptions = {},
  ): Promise<PushedBlob> {
    options.signal?.throwIfAborted();
    const { digest, size } = descriptor;
    if (this.#known(reference)?.blobs.has(digest) === true) return { how: 'existed' };
    for (const from of options.mountFrom ?? []) {
      const bytes = this.#known({ ...reference, repository: from })?.blobs.get(digest);
      if (bytes === undefined) continue;
      this.#repository(reference).blobs.set(digest, bytes);
      return { how: 'mounted', from };
    }
    const received: Uint8Array[] = [];
    let done = 0;
    for await (const chunk of open(0)) {
      options.signal?.throwIfAborted();
      received.push(Uint8Array.from(chunk));
      done += chunk.byteLength;
      options.onProgress?.(done);
    }
    const bytes = Buffer.concat(received);
    if (bytes.byteLength !== size) {
      throw new EngineError('SIZE_MISMATCH', {
        what: 'blob to push',
        expectedBytes: size,
        actualBytes: bytes.byteLength,
      });
    }
    verifyDigest(bytes, digest, 'blob to push');
    this.#repository(reference).blobs.set(digest, bytes);
    return { how: 'uploaded' };
  }

  async pushManifest(
    reference: Reference,
    manifest: FetchedManifest,
    options: RegistryRequestOptions = {},
  ): Promise<void> {
    options.signal?.throwIfAborted();
    const what = `manifest for ${formatFamiliarReference(reference)}`;
    verifyDigest(manifest.bytes, manifest.descriptor.digest, what);
    decodeManifestOrIndex(manifest.bytes, manifest.descriptor.mediaType, what);
    this.#store(reference, manifest.bytes);
  }

  async deleteManifest(reference: Reference, options: RegistryRequestOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    const repository = this.#known(reference);
    const { digest, tag = 'latest' } = reference;
    const found = digest === undefined ? repository?.tags.delete(tag) : repository?.manifests.delete(digest);
    if (found !== true) throw notFound(reference, formatFamiliarReference(reference));
    for (const [name, tagged] of repository?.tags ?? []) if (tagged === digest) repository?.tags.delete(name);
  }

  async deleteBlob(reference: Reference, digest: Digest, options: RegistryRequestOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    if (this.#known(reference)?.blobs.delete(digest) === true) return;
    throw notFound(reference, `${formatFamiliarReference(reference)}, ${digest}`);
  }

  async authenticate(
    registry: string,
    credential: Credential,
    options: RegistryRequestOptions = {},
  ): Promise<Credential> {
    options.signal?.throwIfAborted();
    const isProtected = [...this.#passwords.keys()].some((key) => key.startsWith(`${registry} `));
    const known = credential.kind === 'basic' ? this.#passwords.get(`${registry} ${credential.username}`) : undefined;
    const fits = credential.kind === 'basic' && known === credential.password;
    if (!isProtected || fits) return credential;
    throw new EngineError('REGISTRY_DENIED', { registry, status: 401, reason: 'Unauthorized' });
  }

  forget(): void {
    // Nothing is remembered.
  }

  async search(
    registry: string,
    term: string,
    options: RegistrySearchOptions,
  ): Promise<readonly RegistrySearchResult[]> {
    const found: RegistrySearchResult[] = [];
    for await (const name of this.listRepositories(registry, options)) {
      if (!name.includes(term.toLowerCase())) continue;
      const familiar = formatFamiliarReference({ registry, repository: name });
      found.push({ name: familiar, description: '', stars: 0, official: false });
    }
    return found.slice(0, options.limit);
  }

  close(): void {
    // Nothing is held.
  }

  #store(reference: Reference, bytes: Uint8Array): Descriptor {
    const descriptor = describe(bytes);
    const repository = this.#repository(reference);
    repository.manifests.set(descriptor.digest, bytes);
    if (reference.tag !== undefined) repository.tags.set(reference.tag, descriptor.digest);
    return descriptor;
  }

  #find(reference: Reference): Uint8Array | undefined {
    const repository = this.#known(reference);
    const digest = reference.digest ?? repository?.tags.get(reference.tag ?? 'latest');
    return digest === undefined ? undefined : repository?.manifests.get(digest);
  }

  #known({ registry, repository }: Reference): Repository | undefined {
    return this.#repositories.get(`${registry}/${repository}`);
  }

  #repository(reference: Reference): Repository {
    const known = this.#known(reference);
    if (known !== undefined) return known;
    const made: Repository = { blobs: new Map(), manifests: new Map(), tags: new Map() };
    this.#repositories.set(`${reference.registry}/${reference.repository}`, made);
    return made;
  }
}

function describe(bytes: Uint8Array): Descriptor {
  const { mediaType } = decodeManifestOrIndex(bytes, undefined, 'manifest');
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
}

function notFound({ registry }: Reference, reference: string): EngineError {
  return new EngineError('IMAGE_NOT_FOUND', { reference, registry });
}

async function* chunks(bytes: Uint8Array, options: RegistryRequestOptions): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) {
    options.signal?.throwIfAborted();
    yield bytes.subarray(at, at + chunkBytes);
  }
}
