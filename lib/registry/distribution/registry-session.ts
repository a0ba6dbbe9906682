import { EngineError } from '../../core/errors/engine-error.js';
import type { HttpRequest, HttpResponse } from '../http-client.js';
import type { OnRegistryNotice } from '../registry-notice.js';
import type { AccessTarget, Authorizer } from './authorizer.js';
import { secretsOfAuthorization } from './basic-authorization.js';
import { type Answer, followRedirects, type SentRequest } from './follow-redirects.js';
import { parseChallenges } from './parse-challenges.js';
import { noticesOf } from './parse-notices.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import { responseError } from './response-error.js';
import type { Guard } from './send-guarded.js';
import type { TransientFailure } from './transient-failure.js';
import { type RetryPolicy, withRetries } from './with-retries.js';

export interface SessionOptions {
  readonly authorizer: Authorizer;
  readonly stallTimeoutMs: number;
  readonly policy: RetryPolicy;
}

/** One request, as often as it has to be sent. */
export interface SessionRequest {
  readonly endpoint: RegistryEndpoint;
  /** Default `'GET'`. */
  readonly method?: HttpRequest['method'];
  /** Below the endpoint's `/v2/` (`team/app/tags/list`), or a place that the registry has named. */
  readonly path: string | URL;
  /** What access it takes: `repository:NAME:pull`. */
  readonly scopes: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Opens the body, once for each time that it is sent. */
  readonly body?: (() => Uint8Array | AsyncIterable<Uint8Array>) | undefined;
  /** What an answer of 404 says not to be there; without it, 404 is a failure like others. */
  readonly notFound?: string | undefined;
  /** Default: that of the session. */
  readonly retries?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onNotice?: OnRegistryNotice | undefined;
}

/** An answer to {@link RegistrySession.attempt}, and where it came from: what relative locations in it are relative to. */
export interface SessionResponse extends HttpResponse {
  readonly url: URL;
}

/** Authenticated, redirected, repeated requests to registries. */
export class RegistrySession {
  readonly #options: SessionOptions;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get stallTimeoutMs(): number {
    return this.#options.stallTimeoutMs;
  }

  get policy(): RetryPolicy {
    return this.#options.policy;
  }

  /**
   * Sends `request` and lets `accept` read the answer; when it gives undefined, the answer becomes the error that its
   * status means. Everything is repeated after failures that pass, those of `accept` included.
   */
  async attempt<T>(
    request: SessionRequest,
    accept: (response: SessionResponse) => Promise<T | undefined> | T | undefined,
  ): Promise<T> {
    const { policy } = this.#options;
    const retries = request.retries ?? policy.retries;
    return withRetries(() => this.#once(request, accept), { ...policy, retries }, request.signal);
  }

  /** As {@link attempt}, for answers of which only status and headers count: `accept` reads no body. */
  async ask<T>(request: SessionRequest, accept: (response: SessionResponse) => T | undefined): Promise<T> {
    return this.attempt(request, (response) => {
      const accepted = accept(response);
      if (accepted !== undefined) response.discard();
      return accepted;
    });
  }

  async #once<T>(
    request: SessionRequest,
    accept: (response: SessionResponse) => Promise<T | undefined> | T | undefined,
  ): Promise<T> {
    const { authorizer, stallTimeoutMs } = this.#options;
    const { endpoint, signal } = request;
    const { registry, mayUsePlainHttp } = endpoint;
    const guard: Guard = { registry, stallTimeoutMs, signal, mayUsePlainHttp };
    const url = urlOf(request, guard);
    const isOwn = url.origin === endpoint.url.origin;
    const target: AccessTarget = { endpoint, scopes: request.scopes };
    const remembered = isOwn ? authorizer.remembered(target) : undefined;
    let authorization = remembered;
    let answer = await this.#send(request, url, authorization, guard);
    if (answer.response.status === 401 && answer.sameOrigin && isOwn) {
      const challenges = parseChallenges(answer.response.headers.get('www-authenticate') ?? '');
      answer.response.discard();
      authorization = await authorizer.answer(target, challenges, remembered, guard);
      answer = await this.#send(request, url, authorization, guard);
    }
    if (request.onNotice !== undefined) {
      for (const notice of noticesOf(answer.response.headers, registry)) request.onNotice(notice);
    }
    const accepted = await accept({ ...answer.response, url: answer.url });
    if (accepted !== undefined) return accepted;
    throw await this.#error(request, answer.response, authorization);
  }

  #send(request: SessionRequest, url: URL, authorization: string | undefined, guard: Guard): Promise<Answer> {
    const { endpoint, method = 'GET', headers = {}, body } = request;
    const message: SentRequest = {
      method,
      url,
      headers: authorization === undefined ? headers : { ...headers, authorization },
      body,
    };
    return followRedirects(endpoint.http, message, guard);
  }

  #error(
    request: SessionRequest,
    response: HttpResponse,
    authorization: string | undefined,
  ): Promise<EngineError | TransientFailure> {
    return responseError(response, {
      registry: request.endpoint.registry,
      reference: request.notFound,
      secrets: secretsOfAuthorization(authorization),
      now: this.#options.policy.clock.now(),
      signal: request.signal,
    });
  }
}

/** A place that a registry has named must not put on a wire in the clear what was to be encrypted. */
function urlOf({ endpoint, path }: SessionRequest, { registry }: Guard): URL {
  if (typeof path === 'string') return new URL(`/v2/${path}`, endpoint.url);
  const refuse = (reason: string): EngineError => new EngineError('REGISTRY_PROTOCOL', { registry, reason });
  if (path.protocol !== 'https:' && path.protocol !== 'http:') throw refuse(`a location with ${path.protocol}`);
  if (path.username !== '' || path.password !== '') throw refuse('a location with credentials');
  const mayBePlain = endpoint.url.protocol === 'http:' && endpoint.mayUsePlainHttp(path);
  if (path.protocol === 'http:' && !mayBePlain) throw refuse(`a location with plain http at ${path.host}`);
  return path;
}
