import type { EngineError } from '../../core/errors/engine-error.js';
import { formatFamiliarReference, type Reference } from '../../core/reference.js';
import type { HttpClient, HttpRequest, HttpResponse } from '../http-client.js';
import type { AccessTarget, Authorizer } from './authorizer.js';
import { secretsOfAuthorization } from './basic-authorization.js';
import { type Answer, followRedirects } from './follow-redirects.js';
import { parseChallenges } from './parse-challenges.js';
import { registryUrl } from './registry-url.js';
import { responseError } from './response-error.js';
import type { Guard } from './send-guarded.js';
import type { TransientFailure } from './transient-failure.js';
import { type RetryPolicy, withRetries } from './with-retries.js';

export interface SessionOptions {
  readonly http: HttpClient;
  readonly authorizer: Authorizer;
  readonly plainHttp: readonly string[];
  readonly stallTimeoutMs: number;
  readonly policy: RetryPolicy;
}

/** A GET below `/v2/REPOSITORY/`. */
export interface SessionRequest {
  readonly reference: Reference;
  /** `manifests/12`, `blobs/sha256:…` */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

/** Authenticated, redirected, repeated requests to registries. */
export class RegistrySession {
  readonly #options: SessionOptions;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /**
   * Sends `request` and lets `accept` read the answer; when it gives undefined, the answer becomes the error that its
   * status means. Everything is repeated after failures that pass, those of `accept` included.
   */
  async attempt<T>(request: SessionRequest, accept: (response: HttpResponse) => Promise<T | undefined>): Promise<T> {
    return withRetries(() => this.#once(request, accept), this.#options.policy, request.signal);
  }

  async #once<T>(request: SessionRequest, accept: (response: HttpResponse) => Promise<T | undefined>): Promise<T> {
    const { authorizer, plainHttp, stallTimeoutMs } = this.#options;
    const { registry, repository } = request.reference;
    const guard: Guard = { registry, stallTimeoutMs, signal: request.signal };
    const url = registryUrl(registry, plainHttp);
    const target: AccessTarget = { registry, registryUrl: url, scope: `repository:${repository}:pull` };
    const remembered = authorizer.remembered(target);
    let authorization = remembered;
    let answer = await this.#send(request, url, authorization, guard);
    if (answer.response.status === 401 && answer.sameOrigin) {
      const challenges = parseChallenges(answer.response.headers.get('www-authenticate') ?? '');
      answer.response.discard();
      authorization = await authorizer.answer(target, challenges, remembered, guard);
      answer = await this.#send(request, url, authorization, guard);
    }
    const accepted = await accept(answer.response);
    if (accepted !== undefined) return accepted;
    throw await this.#error(request, answer.response, authorization);
  }

  #send(request: SessionRequest, base: URL, authorization: string | undefined, guard: Guard): Promise<Answer> {
    const url = new URL(`/v2/${request.reference.repository}/${request.path}`, base);
    const headers = authorization === undefined ? request.headers : { ...request.headers, authorization };
    const message: HttpRequest = { method: 'GET', url, headers };
    return followRedirects(this.#options.http, message, guard);
  }

  #error(
    request: SessionRequest,
    response: HttpResponse,
    authorization: string | undefined,
  ): Promise<EngineError | TransientFailure> {
    const { registry } = request.reference;
    const isManifest = request.path.startsWith('manifests/');
    const familiar = formatFamiliarReference(request.reference);
    return responseError(response, {
      registry,
      reference: isManifest ? familiar : `${familiar}, ${request.path}`,
      secrets: secretsOfAuthorization(authorization),
      now: this.#options.policy.clock.now(),
      signal: request.signal,
    });
  }
}
