import { decodeJson, number, optional, record, text } from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import type { Credential } from '../credential-source.js';
import type { HttpClient, HttpRequest } from '../http-client.js';
import { basicAuthorization, secretsOfAuthorization } from './basic-authorization.js';
import { followRedirects, type SentRequest } from './follow-redirects.js';
import { readBounded } from './read-bounded.js';
import { responseError } from './response-error.js';
import { type Guard, sendGuarded } from './send-guarded.js';

export interface TokenRequest {
  /** The token endpoint that the registry has named; already checked. */
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
  /** Asks for an identity token to store as well. */
  readonly offline?: boolean;
}

export interface Token {
  readonly token: string;
  readonly lifetimeMs: number;
  /** An identity token, if one was asked for and the server gives them. */
  readonly identityToken: string | undefined;
}

/**
 * Gets a bearer token: by GET, with the user name and password if there are any, or by POST for an identity token.
 *
 * @throws EngineError `REGISTRY_DENIED`, `REGISTRY_PROTOCOL`, `REGISTRY_UNREACHABLE`, `TOO_LARGE`; `TransientFailure`.
 * @see Docker Registry v2 authentication, "Token Authentication Specification" and "OAuth2"
 */
export async function fetchToken(http: HttpClient, request: TokenRequest, guard: Guard, now: number): Promise<Token> {
  const { credential } = request;
  const identity = credential?.kind === 'identity-token';
  const response = identity
    ? await sendGuarded(http, post(request, credential.token), guard)
    : (await followRedirects(http, get(request), guard)).response;
  if (response.status !== 200) {
    const secrets = secretsOf(credential);
    const { registry, signal } = guard;
    throw await responseError(response, { registry, reference: undefined, secrets, now, signal });
  }
  const bytes = await readBounded(response.body, limits.tokenBytes, `token answer of ${request.realm.host}`);
  return parseToken(Buffer.from(bytes).toString('utf8'), guard.registry);
}

function secretsOf(credential: Credential | undefined): readonly string[] {
  if (credential?.kind === 'identity-token') return [credential.token];
  return credential === undefined ? [] : secretsOfAuthorization(basicAuthorization(credential));
}

function get({ realm, service, scopes, credential, offline }: TokenRequest): SentRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (offline === true) {
    url.searchParams.set('offline_token', 'true');
    url.searchParams.set('client_id', 'tscontainer');
  }
  const headers = { accept: 'application/json' };
  if (credential?.kind !== 'basic') return { method: 'GET', url, headers };
  url.searchParams.set('account', credential.username);
  return { method: 'GET', url, headers: { ...headers, authorization: basicAuthorization(credential) } };
}

function post({ realm, service, scopes }: TokenRequest, refreshToken: string): HttpRequest {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'tscontainer', scope: scopes.join(' ') });
  if (service !== undefined) form.set('service', service);
  form.set('refresh_token', refreshToken);
  return {
    method: 'POST',
    url: realm,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  };
}

const tokenAnswer = record({
  token: optional(text),
  access_token: optional(text),
  expires_in: optional(number),
  refresh_token: optional(text),
});

/** The specification's default, and the least that it lets servers give. */
const minLifetimeSeconds = 60;
const maxLifetimeSeconds = 24 * 60 * 60;
/** A token that ends while its request is under way is refused. */
const marginSeconds = 10;

function parseToken(json: string, registry: string): Token {
  const answer = decodeAnswer(json, registry);
  const token = answer.token || answer.access_token;
  // Only what a header can carry, and no further header in it.
  if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
    throw new EngineError('REGISTRY_PROTOCOL', { registry, reason: 'the token endpoint sent no usable token' });
  }
  const seconds = Math.min(Math.max(answer.expires_in ?? 0, minLifetimeSeconds), maxLifetimeSeconds);
  const identityToken = answer.refresh_token === '' ? undefined : answer.refresh_token;
  return { token, lifetimeMs: (seconds - marginSeconds) * 1000, identityToken };
}

function decodeAnswer(json: string, registry: string): ReturnType<typeof tokenAnswer> {
  try {
    return decodeJson(json, tokenAnswer, 'token answer');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('REGISTRY_PROTOCOL', { registry, reason }, { cause });
  }
}
