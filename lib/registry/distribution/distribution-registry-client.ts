import type { Abortable } from '../../core/abortable.js';
import type { Descriptor } from '../../core/descriptor.js';
import type { Digest } from '../../core/digest.js';
import type { Reference } from '../../core/reference.js';
import type { CredentialSource } from '../credential-source.js';
import type { HttpClient } from '../http-client.js';
import type { FetchedBlob, FetchedManifest, RegistryClient } from '../registry-client.js';
import { Authorizer } from './authorizer.js';
import { type Clock, systemClock } from './clock.js';
import { fetchBlob } from './fetch-blob.js';
import { fetchManifest } from './fetch-manifest.js';
import { RegistrySession } from './registry-session.js';

export interface DistributionOptions {
  readonly http: HttpClient;
  /** Default: anonymous access. */
  readonly credentials?: CredentialSource | undefined;
  /** Registries (`host` or `host:port`) that are spoken to without TLS, besides those on this machine. Default: none. */
  readonly plainHttp?: readonly string[] | undefined;
  /** An exchange without a byte for this long is given up and repeated. Default 60 000. */
  readonly stallTimeoutMs?: number | undefined;
  /** How often a request is repeated after a failure that may pass. Default 4. */
  readonly retries?: number | undefined;
  /** Default: the real one. */
  readonly clock?: Clock | undefined;
}

/** {@link RegistryClient} of the distribution protocol. @see OCI distribution-spec v1.1 */
export class DistributionRegistryClient implements RegistryClient {
  readonly #http: HttpClient;
  readonly #authorizer: Authorizer;
  readonly #session: RegistrySession;

  constructor(options: DistributionOptions) {
    const { http, credentials = anonymous, plainHttp = [], stallTimeoutMs = 60_000, retries = 4 } = options;
    const clock = options.clock ?? systemClock;
    this.#http = http;
    this.#authorizer = new Authorizer({ http, credentials, plainHttp, clock });
    const policy = { retries, clock };
    this.#session = new RegistrySession({ http, authorizer: this.#authorizer, plainHttp, stallTimeoutMs, policy });
  }

  fetchManifest(reference: Reference, options: Abortable = {}): Promise<FetchedManifest> {
    return fetchManifest(this.#session, reference, options.signal);
  }

  fetchManifestByDigest(reference: Reference, digest: Digest, options: Abortable = {}): Promise<FetchedManifest> {
    const { registry, repository } = reference;
    return fetchManifest(this.#session, { registry, repository, digest }, options.signal);
  }

  fetchBlob(
    reference: Reference,
    descriptor: Descriptor,
    offset: number,
    options: Abortable = {},
  ): Promise<FetchedBlob> {
    return fetchBlob(this.#session, reference, descriptor, offset, options.signal);
  }

  close(): void {
    this.#authorizer.clear();
    this.#http.close();
  }
}

const anonymous: CredentialSource = { find: () => Promise.resolve(undefined) };
