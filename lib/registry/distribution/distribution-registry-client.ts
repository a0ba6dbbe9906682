import type { Descriptor } from '../../core/descriptor.js';
import type { Digest } from '../../core/digest.js';
import { decodeManifestOrIndex } from '../../core/manifest.js';
import { formatFamiliarReference, type Reference } from '../../core/reference.js';
import { KeyedLock } from '../../util/keyed-lock.js';
import type { Credential, CredentialSource } from '../credential-source.js';
import type { HttpClient } from '../http-client.js';
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
import { authenticate } from './authenticate.js';
import { Authorizer } from './authorizer.js';
import { type Clock, systemClock } from './clock.js';
import { deleteBlob, deleteManifest } from './delete-content.js';
import { fetchBlob } from './fetch-blob.js';
import { fetchManifest } from './fetch-manifest.js';
import { hasBlob } from './has-blob.js';
import { listRepositories, listTags } from './list-names.js';
import { type ListReferrersOptions, listReferrers } from './list-referrers.js';
import { pushBlob } from './push-blob.js';
import { pushManifest } from './push-manifest.js';
import { changeReferrersTag } from './referrers-tag.js';
import { type RegistryHost, RegistryHosts } from './registry-hosts.js';
import { RegistrySession } from './registry-session.js';
import { resolveManifest } from './resolve-manifest.js';
import { repositoryScope } from './scopes.js';
import { searchCatalog, searchHub } from './search-registry.js';

export interface DistributionOptions {
  readonly http: HttpClient;
  /** Default: anonymous access. */
  readonly credentials?: CredentialSource | undefined;
  /** Registries (`host` or `host:port`) that are spoken to without TLS, besides those on this machine. Default: none. */
  readonly plainHttp?: readonly string[] | undefined;
  /** What is special about a registry: mirrors, certificates. Default: nothing. */
  readonly findHost?: ((registry: string) => Promise<RegistryHost>) | undefined;
  /** Called by `close`, to end the connections of those hosts. */
  readonly closeHosts?: (() => void) | undefined;
  /** An exchange without a byte for this long is given up and repeated. Default 60 000. */
  readonly stallTimeoutMs?: number | undefined;
  /** How often a request is repeated after a failure that may pass. Default 4. */
  readonly retries?: number | undefined;
  /** The parts of a blob that cannot be uploaded at once. Default 8 MiB. */
  readonly chunkBytes?: number | undefined;
  /** Docker Hub's search service. Default: the real one. */
  readonly hubSearchUrl?: URL | undefined;
  /** Default: the real one. */
  readonly clock?: Clock | undefined;
}

const hubSearchUrl = new URL('https://index.docker.io/v1/search');
const chunkBytes = 8 * 1024 * 1024;
/** A mirror that does not answer has the registry behind it. */
const mirrorRetries = 1;

/** {@link RegistryClient} of the distribution protocol. @see OCI distribution-spec v1.1 */
export class DistributionRegistryClient implements RegistryClient {
  readonly #options: DistributionOptions;
  readonly #hosts: RegistryHosts;
  readonly #authorizer: Authorizer;
  readonly #session: RegistrySession;
  readonly #mirrorSession: RegistrySession;
  /** Lists of referrers that clients keep are read and written again. */
  readonly #referrerLists = new KeyedLock<string>();

  constructor(options: DistributionOptions) {
    const { http, credentials = anonymous, plainHttp = [], stallTimeoutMs = 60_000, retries = 4 } = options;
    const clock = options.clock ?? systemClock;
    this.#options = options;
    this.#hosts = new RegistryHosts({ http, plainHttp, clock, find: options.findHost });
    this.#authorizer = new Authorizer({ credentials, clock });
    const session = { authorizer: this.#authorizer, stallTimeoutMs };
    this.#session = new RegistrySession({ ...session, policy: { retries, clock } });
    this.#mirrorSession = new RegistrySession({
      ...session,
      policy: { retries: Math.min(retries, mirrorRetries), clock },
    });
  }

  fetchManifest(reference: Reference, options: RegistryRequestOptions = {}): Promise<FetchedManifest> {
    return this.#hosts.read(reference.registry, options.signal, (endpoint) =>
      fetchManifest(this.#sessionFor(endpoint), endpoint, reference, options),
    );
  }

  fetchManifestByDigest(
    reference: Reference,
    digest: Digest,
    options: RegistryRequestOptions = {},
  ): Promise<FetchedManifest> {
    const { registry, repository } = reference;
    return this.fetchManifest({ registry, repository, digest }, options);
  }

  fetchBlob(
    reference: Reference,
    descriptor: Descriptor,
    offset: number,
    options: RegistryRequestOptions = {},
  ): Promise<FetchedBlob> {
    return this.#hosts.read(reference.registry, options.signal, (endpoint) =>
      fetchBlob(this.#sessionFor(endpoint), endpoint, reference, descriptor, offset, options),
    );
  }

  async resolveManifest(reference: Reference, options: RegistryRequestOptions = {}): Promise<Descriptor | undefined> {
    return resolveManifest(this.#session, await this.#hosts.upstream(reference.registry), reference, options);
  }

  async hasBlob(reference: Reference, digest: Digest, options: RegistryRequestOptions = {}): Promise<boolean> {
    const { registry, repository } = reference;
    const scopes = [repositoryScope(repository, 'pull')];
    return hasBlob(this.#session, await this.#hosts.upstream(registry), repository, digest, scopes, options);
  }

  async *listTags(reference: Reference, options: RegistryRequestOptions = {}): AsyncGenerator<string, void, void> {
    yield* listTags(this.#session, await this.#hosts.upstream(reference.registry), reference, options);
  }

  async *listRepositories(registry: string, options: RegistryRequestOptions = {}): AsyncGenerator<string, void, void> {
    yield* listRepositories(this.#session, await this.#hosts.upstream(registry), options);
  }

  async listReferrers(
    reference: Reference,
    digest: Digest,
    options: ListReferrersOptions = {},
  ): Promise<readonly Descriptor[]> {
    const endpoint = await this.#hosts.upstream(reference.registry);
    return listReferrers(this.#session, endpoint, reference, digest, options);
  }

  async pushBlob(
    reference: Reference,
    descriptor: Descriptor,
    open: OpenBlob,
    options: PushBlobOptions = {},
  ): Promise<PushedBlob> {
    const endpoint = await this.#hosts.upstream(reference.registry);
    const target = { session: this.#session, endpoint, reference, descriptor };
    return pushBlob({ ...target, chunkBytes: this.#options.chunkBytes ?? chunkBytes }, open, options);
  }

  async pushManifest(
    reference: Reference,
    manifest: FetchedManifest,
    options: RegistryRequestOptions = {},
  ): Promise<void> {
    const endpoint = await this.#hosts.upstream(reference.registry);
    if (!(await pushManifest(this.#session, endpoint, reference, manifest, options))) return;
    await this.#listAsReferrer(reference, manifest, options);
  }

  async deleteManifest(reference: Reference, options: RegistryRequestOptions = {}): Promise<void> {
    return deleteManifest(this.#session, await this.#hosts.upstream(reference.registry), reference, options);
  }

  async deleteBlob(reference: Reference, digest: Digest, options: RegistryRequestOptions = {}): Promise<void> {
    return deleteBlob(this.#session, await this.#hosts.upstream(reference.registry), reference, digest, options);
  }

  async authenticate(
    registry: string,
    credential: Credential,
    options: RegistryRequestOptions = {},
  ): Promise<Credential> {
    const endpoint = await this.#hosts.upstream(registry);
    return authenticate(this.#session, this.#authorizer, endpoint, credential, options);
  }

  forget(registry: string): void {
    this.#authorizer.clear(registry);
  }

  async search(
    registry: string,
    term: string,
    options: RegistrySearchOptions,
  ): Promise<readonly RegistrySearchResult[]> {
    const endpoint = await this.#hosts.upstream(registry);
    if (registry !== 'docker.io') return searchCatalog(this.#session, endpoint, term, options);
    const url = this.#options.hubSearchUrl ?? hubSearchUrl;
    return searchHub(this.#session, { ...endpoint, url: new URL(url.origin) }, url, term, options);
  }

  close(): void {
    this.#authorizer.clear();
    this.#options.http.close();
    this.#options.closeHosts?.();
  }

  #sessionFor({ namespace }: { readonly namespace: string | undefined }): RegistrySession {
    return namespace === undefined ? this.#session : this.#mirrorSession;
  }

  async #listAsReferrer(
    reference: Reference,
    { bytes, descriptor }: FetchedManifest,
    options: RegistryRequestOptions,
  ): Promise<void> {
    const { registry, repository } = reference;
    const document = decodeManifestOrIndex(bytes, descriptor.mediaType, formatFamiliarReference(reference));
    const subject = document.subject?.digest;
    if (subject === undefined) return;
    const endpoint = await this.#hosts.upstream(registry);
    const add = (listed: readonly Descriptor[]): readonly Descriptor[] | undefined =>
      listed.some((each) => each.digest === descriptor.digest)
        ? undefined
        : [...listed, referrerDescriptor(document, descriptor)];
    await this.#referrerLists.run(`${registry}/${repository} ${subject}`, () =>
      changeReferrersTag(this.#session, endpoint, reference, subject, add, options),
    );
  }
}

const anonymous: CredentialSource = { find: () => Promise.resolve(undefined) };
