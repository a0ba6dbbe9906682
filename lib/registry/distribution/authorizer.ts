import { EngineError } from '../../core/errors/engine-error.js';
import { orAbort } from '../../util/abort.js';
import { KeyedLock } from '../../util/keyed-lock.js';
import type { Credential, CredentialSource } from '../credential-source.js';
import type { HttpClient } from '../http-client.js';
import { basicAuthorization } from './basic-authorization.js';
import type { Clock } from './clock.js';
import { fetchToken } from './fetch-token.js';
import type { Challenge } from './parse-challenges.js';
import { mayUsePlainHttp } from './registry-url.js';
import type { Guard } from './send-guarded.js';
import { TokenCache } from './token-cache.js';

export interface AuthorizerOptions {
  readonly http: HttpClient;
  readonly credentials: CredentialSource;
  readonly plainHttp: readonly string[];
  readonly clock: Clock;
}

/** What access is wanted to. */
export interface AccessTarget {
  readonly registry: string;
  readonly registryUrl: URL;
  /** `repository:NAME:pull` */
  readonly scope: string;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Answers the challenges of registries and remembers what was accepted, for each registry and scope. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #cache: TokenCache;
  readonly #lock = new KeyedLock<string>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#cache = new TokenCache(options.clock);
  }

  /** The Authorization header that worked before, if it is still good. */
  remembered(target: AccessTarget): string | undefined {
    return this.#cache.get(keyOf(target));
  }

  /**
   * A new Authorization header, after `refused` (or none) was answered with `challenges`. Concurrent requests for the
   * same scope share one token.
   *
   * @throws EngineError `REGISTRY_DENIED` when no challenge can be answered; see {@link fetchToken} for the rest.
   */
  async answer(
    target: AccessTarget,
    challenges: readonly Challenge[],
    refused: string | undefined,
    guard: Guard,
  ): Promise<string> {
    const key = keyOf(target);
    const work = this.#lock.run(key, async () => {
      guard.signal?.throwIfAborted();
      const known = this.#cache.get(key);
      if (known !== undefined && known !== refused) return known;
      this.#cache.delete(key);
      const { authorization, lifetimeMs } = await this.#authenticate(target, challenges, guard);
      this.#cache.set(key, authorization, lifetimeMs);
      return authorization;
    });
    return orAbort(work, guard.signal);
  }

  /** Forgets everything. */
  clear(): void {
    this.#cache.clear();
  }

  async #authenticate(
    target: AccessTarget,
    challenges: readonly Challenge[],
    guard: Guard,
  ): Promise<{ authorization: string; lifetimeMs: number }> {
    const { http, credentials, clock } = this.#options;
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    const basic = challenges.find(({ scheme }) => scheme === 'basic');
    if (bearer === undefined && basic === undefined) throw denied(target, unsupported(challenges));
    const realm = bearer === undefined ? undefined : this.#checkRealm(target, bearer.parameters.get('realm'));
    const credential = await credentials.find(target.registry);
    if (realm === undefined) return { authorization: answerBasic(target, credential), lifetimeMs: dayMs };
    const service = bearer?.parameters.get('service');
    const scope = bearer?.parameters.get('scope') ?? target.scope;
    const { token, lifetimeMs } = await fetchToken(http, { realm, service, scope, credential }, guard, clock.now());
    return { authorization: `Bearer ${token}`, lifetimeMs };
  }

  /** The registry may name any token endpoint, but never one that would put secrets on a wire that it does not use itself. */
  #checkRealm(target: AccessTarget, realm: string | undefined): URL {
    const { registry, registryUrl } = target;
    const broken = (reason: string): EngineError => new EngineError('REGISTRY_PROTOCOL', { registry, reason });
    if (realm === undefined || !URL.canParse(realm)) throw broken('it names no token endpoint');
    const url = new URL(realm);
    if (url.username !== '' || url.password !== '') throw broken('its token endpoint contains credentials');
    const plainAllowed = registryUrl.protocol === 'http:' && mayUsePlainHttp(url, this.#options.plainHttp);
    if (url.protocol === 'https:' || (url.protocol === 'http:' && plainAllowed)) return url;
    throw broken(`its token endpoint at ${url.host.slice(0, 200)} does not use https`);
  }
}

function keyOf({ registry, scope }: AccessTarget): string {
  return `${registry} ${scope}`;
}

function answerBasic(target: AccessTarget, credential: Credential | undefined): string {
  if (credential === undefined) throw denied(target, 'it wants a user name and password, and none is stored for it');
  if (credential.kind === 'basic') return basicAuthorization(credential);
  throw denied(target, 'it wants a user name and password, but an identity token is stored for it');
}

function unsupported(challenges: readonly Challenge[]): string {
  const schemes = challenges.map(({ scheme }) => scheme.slice(0, 30)).slice(0, 5);
  return schemes.length === 0
    ? 'it asks for no known kind of authentication'
    : `it asks for authentication by ${schemes.join(', ')}, which is not supported`;
}

function denied({ registry }: AccessTarget, reason: string): EngineError {
  return new EngineError('REGISTRY_DENIED', { registry, status: 401, reason });
}
