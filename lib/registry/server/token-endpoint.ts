import { isRepositoryName } from '../../core/reference.js';
import type { RegistryAction } from '../registry-access.js';
import { parseBasic, type UserDirectory } from './access-control.js';
import { type Exchange, sendJson } from './exchange.js';
import { readBody } from './read-body.js';
import { RegistryFailure } from './registry-failure.js';
import type { Grant, TokenSigner } from './token-signer.js';

const accessMs = 5 * 60 * 1000;
const refreshMs = 30 * 24 * 60 * 60 * 1000;
const maxFormBytes = 64 * 1024;
const maxScopes = 64;
const actions: readonly RegistryAction[] = ['pull', 'push', 'delete'];

export interface TokenEndpoint {
  readonly users: UserDirectory;
  readonly signer: TokenSigner;
  readonly now: () => number;
}

/**
 * Gives tokens for what a user may do of what is asked for: by GET with a user name and password (or without, for
 * anybody), by POST with a password or an identity token in a form.
 *
 * @see Docker Registry v2 authentication, "Token Authentication Specification" and "OAuth2"
 */
export async function giveToken(endpoint: TokenEndpoint, exchange: Exchange): Promise<void> {
  const { request, method, query } = exchange;
  if (method !== 'GET' && method !== 'POST') throw new RegistryFailure(405, 'UNSUPPORTED', 'ask by GET or POST');
  const form = method === 'GET' ? query : new URLSearchParams((await readBody(request, maxFormBytes)).toString());
  const user = method === 'GET' ? await userOfGet(endpoint, exchange) : await userOfForm(endpoint, form);
  const scopes = form.getAll('scope').flatMap((each) => each.split(' '));
  const grants = await grantsFor(endpoint.users, user, scopes.slice(0, maxScopes));
  const { signer, now } = endpoint;
  const token = signer.sign({
    kind: 'access',
    ...(user !== undefined && { user }),
    grants,
    expiresAt: now() + accessMs,
  });
  const wantsRefresh = form.get('offline_token') === 'true' || form.get('access_type') === 'offline';
  const refresh =
    user === undefined || !wantsRefresh
      ? undefined
      : signer.sign({ kind: 'refresh', user, grants: [], expiresAt: now() + refreshMs });
  sendJson(exchange, {
    token,
    access_token: token,
    expires_in: accessMs / 1000,
    issued_at: new Date(now()).toISOString(),
    ...(refresh !== undefined && { refresh_token: refresh }),
  });
}

async function userOfGet({ users }: TokenEndpoint, { request }: Exchange): Promise<string | undefined> {
  const { authorization } = request.headers;
  if (authorization === undefined) return undefined;
  const login = parseBasic(authorization);
  if (login !== undefined && (await users.isUser(login.username, login.password))) return login.username;
  throw refused();
}

async function userOfForm({ users, signer }: TokenEndpoint, form: URLSearchParams): Promise<string> {
  const grant = form.get('grant_type');
  if (grant === 'refresh_token') {
    const user = signer.verify(form.get('refresh_token') ?? '', 'refresh')?.user;
    if (user !== undefined) return user;
  } else if (grant === 'password') {
    const username = form.get('username') ?? '';
    if (await users.isUser(username, form.get('password') ?? '')) return username;
  } else {
    throw new RegistryFailure(400, 'UNSUPPORTED', 'grant_type must be refresh_token or password');
  }
  throw refused();
}

function refused(): RegistryFailure {
  return new RegistryFailure(401, 'UNAUTHORIZED', 'incorrect username or password');
}

async function grantsFor(users: UserDirectory, user: string | undefined, scopes: readonly string[]): Promise<Grant[]> {
  const grants: Grant[] = [];
  for (const scope of scopes) {
    if (scope === 'registry:catalog:*') {
      if (await users.may({ user, repository: undefined, action: 'pull' })) grants.push({ actions: ['pull'] });
      continue;
    }
    const [, repository = '', wanted = ''] = /^repository:(.+):([a-z,*]+)$/.exec(scope) ?? [];
    if (!isRepositoryName(repository)) continue;
    const allowed: RegistryAction[] = [];
    for (const action of actions) {
      const isWanted = wanted === '*' || wanted.split(',').includes(action);
      if (isWanted && (await users.may({ user, repository, action }))) allowed.push(action);
    }
    if (allowed.length > 0) grants.push({ repository, actions: allowed });
  }
  return grants;
}
