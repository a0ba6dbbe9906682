import { EngineError } from '../../core/errors/engine-error.js';
import { orAbort } from '../../util/abort.js';
import { KeyedLock } from '../../util/keyed-lock.js';
import type { Credential, CredentialSource } from '../credential-source.js';
import { basicAuthorization } from './basic-authorization.js';
import type { Clock } from './clock.js';
import { fetchToken } from './fetch-token.js';
import type { Challenge } from './parse-challenges.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import { mergeScopes } from './scopes.js';
import type { Guard } from './send-guarded.js';
import { TokenCache } from './token-cache.js';

export interface AuthorizerOptions {
  readonly credentials: CredentialSource;
  readonly clock: Clock;
}

/** What access is wanted to. */
export interface AccessTarget {
  readonly endpoint: RegistryEndpoint;
  /** `repository:NAME:pull` */
  readonly scopes: readonly string[];
}

/** A header that answers a challenge. */
export interface Authorization {
  readonly header: string;
  readonly lifetimeMs: number;
  /** What to store instead of the password, where the registry gives such. */
  readonly identityToken: string | undefined;
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
    return this.#cache.get(keyOf(target)) ?? this.#cache.get(basicKeyOf(target));
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
    const work = this.#lock.run(keyOf(target), async () => {
      guard.signal?.throwIfAborted();
      const known = this.remembered(target);
      if (known !== undefined && known !== refused) return known;
      for (const key of [keyOf(target), basicKeyOf(target)]) this.#cache.delete(key);
      const credential = await this.#options.credentials.find(target.endpoint.registry);
      const { header, lifetimeMs } = await this.authorize(target, challenges, credential, guard);
      // A user name and password are the same for every scope.
      const key = header.startsWith('Basic ') ? basicKeyOf(target) : keyOf(target);
      this.#cache.set(key, header, lifetimeMs);
      return header;
    });
    return orAbort(work, guard.signal);
  }

  /** Answers `challenges` with `credential`; remembers nothing. `offline` asks for an identity token, too. */
  async authorize(
    target: AccessTarget,
    challenges: readonly Challenge[],
    credential: Credential | undefined,
    guard: Guard,
    offline = false,
  ): Promise<Authorization> {
    const { endpoint, scopes } = target;
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    const basic = challenges.find(({ scheme }) => scheme === 'basic');
    if (bearer === undefined && basic === undefined) throw denied(target, unsupported(challenges));
    if (bearer === undefined) {
      return { header: answerBasic(target, credential), lifetimeMs: dayMs, identityToken: undefined };
    }
    const realm = checkRealm(target, bearer.parameters.get('realm'));
    const request = {
      realm,
      service: bearer.parameters.get('service'),
      scopes: mergeScopes(bearer.parameters.get('scope'), scopes),
      credential,
      offline,
    };
    const { token, lifetimeMs, identityToken } = await fetchToken(
      endpoint.http,
      request,
      guard,
      this.#options.clock.now(),
    );
    return { header: `Bearer ${token}`, lifetimeMs, identityToken };
  }

  /** Forgets everything, or what belongs to one registry. */
  clear(registry?: string): void {
    this.#cache.clear(registry === undefined ? '' : `${registry} `);
  }
}

/** The registry may name any token endpoint, but never one that would put secrets on a wire that it does not use itself. */
function checkRealm({ endpoint }: AccessTarget, realm: string | undefined): URL {
  const { registry } = endpoint;
  const broken = (reason: string): EngineError => new EngineError('REGISTRY_PROTOCOL', { registry, reason });
  if (realm === undefined || !URL.canParse(realm)) throw broken('it names no token endpoint');
  const url = new URL(realm);
  if (url.username !== '' || url.password !== '') throw broken('its token endpoint contains credentials');
  const plainAllowed = endpoint.url.protocol === 'http:' && endpoint.mayUsePlainHttp(url);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && plainAllowed)) return url;
  throw broken(`its token endpoint at ${url.host.slice(0, 200)} does not use https`);
}

function keyOf({ endpoint, scopes }: AccessTarget): string {
  return `${endpoint.registry} ${scopes.join(' ')}`;
}

function basicKeyOf({ endpoint }: AccessTarget): string {
  return `${endpoint.registry} *`;
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

function denied({ endpoint }: AccessTarget, reason: string): EngineError {
  return new EngineError('REGISTRY_DENIED', { registry: endpoint.registry, status: 401, reason });
}
