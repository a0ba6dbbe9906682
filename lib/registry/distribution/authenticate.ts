import type { Credential } from '../credential-source.js';
import type { HttpResponse } from '../http-client.js';
import type { RegistryRequestOptions } from '../registry-client.js';
import type { Authorizer } from './authorizer.js';
import { secretsOfAuthorization } from './basic-authorization.js';
import { followRedirects } from './follow-redirects.js';
import { parseChallenges } from './parse-challenges.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import type { RegistrySession } from './registry-session.js';
import { responseError } from './response-error.js';
import type { Guard } from './send-guarded.js';
import { withRetries } from './with-retries.js';

/**
 * Proves `credential` to a registry. Gives an identity token instead, where the registry gives one for it: that is what
 * should be stored, since it can be revoked and is no password.
 *
 * @throws EngineError `REGISTRY_DENIED` for a wrong credential.
 */
export async function authenticate(
  session: RegistrySession,
  authorizer: Authorizer,
  endpoint: RegistryEndpoint,
  credential: Credential,
  options: RegistryRequestOptions,
): Promise<Credential> {
  const { registry, mayUsePlainHttp } = endpoint;
  const { signal } = options;
  const guard: Guard = { registry, mayUsePlainHttp, signal, stallTimeoutMs: session.stallTimeoutMs };
  const ping = async (header?: string) =>
    followRedirects(
      endpoint.http,
      {
        method: 'GET',
        url: new URL('/v2/', endpoint.url),
        headers: header === undefined ? {} : { authorization: header },
      },
      guard,
    );
  const fail = async (response: HttpResponse, header: string | undefined) =>
    responseError(response, {
      registry,
      reference: undefined,
      secrets: secretsOfAuthorization(header),
      now: session.policy.clock.now(),
      signal,
    });
  return withRetries(
    async () => {
      const first = await ping();
      if (first.response.status === 200) {
        first.response.discard();
        return credential; // whoever asks is let in, so there is nothing that it could be checked by
      }
      if (first.response.status !== 401 || !first.sameOrigin) throw await fail(first.response, undefined);
      const challenges = parseChallenges(first.response.headers.get('www-authenticate') ?? '');
      first.response.discard();
      const { header, identityToken } = await authorizer.authorize(
        { endpoint, scopes: [] },
        challenges,
        credential,
        guard,
        credential.kind === 'basic',
      );
      const second = await ping(header);
      if (second.response.status !== 200) throw await fail(second.response, header);
      second.response.discard();
      return identityToken === undefined ? credential : { kind: 'identity-token', token: identityToken };
    },
    session.policy,
    signal,
  );
}
