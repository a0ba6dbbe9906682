import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RegistryAccess, RegistryAction, RegistryAuth } from '../registry-access.js';
import { RegistryFailure } from './registry-failure.js';
import type { Grant, TokenSigner } from './token-signer.js';

/** What a request wants: undefined for the base of the API, which says only who is let in. */
export interface WantedAccess {
  readonly repository: string | undefined;
  readonly action: RegistryAction;
}

/** A client whose name is known, or is nobody's. */
export interface Client {
  readonly user: string | undefined;
  /** True when it may do that. */
  readonly may: (wanted: WantedAccess) => Promise<boolean>;
  /** True when it could get the right to read the repository, although this request may not show that it has it. */
  readonly maySee: (repository: string) => Promise<boolean>;
}

/** Decides who may do what. */
export interface AccessControl {
  /** @throws RegistryFailure `UNAUTHORIZED` with a challenge, `DENIED`. */
  admit(request: IncomingMessage, wanted: WantedAccess | undefined, origin: string): Promise<Client>;
}

/** Everybody may do everything. */
export const openAccess: AccessControl = {
  admit: () =>
    Promise.resolve({ user: undefined, may: () => Promise.resolve(true), maySee: () => Promise.resolve(true) }),
};

/** Users, their passwords, and what they may do. */
export class UserDirectory {
  readonly #auth: RegistryAuth;

  constructor(auth: RegistryAuth) {
    this.#auth = auth;
  }

  async isUser(username: string, password: string): Promise<boolean> {
    const { users } = this.#auth;
    if (typeof users === 'function') return users(username, password);
    const known = Object.hasOwn(users, username) ? users[username] : undefined;
    // The same work is done for a user that does not exist.
    return timingSafeEqual(hash(known ?? ''), hash(password)) && known !== undefined;
  }

  async may(access: RegistryAccess): Promise<boolean> {
    const { anonymous = 'nothing', authorize } = this.#auth;
    if (access.user === undefined && (anonymous !== 'pull' || access.action !== 'pull')) return false;
    return authorize === undefined || authorize(access);
  }
}

/** The password with each request. @see RFC 7617 */
export class BasicAccess implements AccessControl {
  readonly #users: UserDirectory;

  constructor(users: UserDirectory) {
    this.#users = users;
  }

  async admit(request: IncomingMessage, wanted: WantedAccess | undefined): Promise<Client> {
    const login = parseBasic(request.headers.authorization);
    const challenge = { 'www-authenticate': 'Basic realm="registry"' };
    const unauthorized = new RegistryFailure(401, 'UNAUTHORIZED', 'authentication is required', challenge);
    if (login !== undefined && !(await this.#users.isUser(login.username, login.password))) throw unauthorized;
    const user = login?.username;
    const may = (access: WantedAccess): Promise<boolean> => this.#users.may({ user, ...access });
    if (wanted === undefined && user === undefined) throw unauthorized;
    const maySee = (repository: string): Promise<boolean> => may({ repository, action: 'pull' });
    if (wanted === undefined || (await may(wanted))) return { user, may, maySee };
    if (user === undefined) throw unauthorized;
    throw new RegistryFailure(403, 'DENIED', `${user} may not ${wanted.action} here`);
  }
}

/** A token for what is wanted. @see Docker Registry v2 authentication, "Token Authentication Specification" */
export class TokenAccess implements AccessControl {
  readonly #users: UserDirectory;
  readonly #signer: TokenSigner;

  constructor(users: UserDirectory, signer: TokenSigner) {
    this.#users = users;
    this.#signer = signer;
  }

  async admit(request: IncomingMessage, wanted: WantedAccess | undefined, origin: string): Promise<Client> {
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const claims = token === undefined ? undefined : this.#signer.verify(token, 'access');
    const grants = claims?.grants ?? [];
    const may = (access: WantedAccess): Promise<boolean> => Promise.resolve(covers(grants, access));
    const isAdmitted = claims !== undefined && (wanted === undefined || covers(grants, wanted));
    if (isAdmitted) {
      const { user } = claims;
      return { user, may, maySee: (repository) => this.#users.may({ user, repository, action: 'pull' }) };
    }
    const scope = wanted === undefined ? '' : `,scope="${scopeOf(wanted)}"`;
    const error = token === undefined ? '' : ',error="insufficient_scope"';
    const challenge = `Bearer realm="${origin}/token",service="${tokenService}"${scope}${error}`;
    throw new RegistryFailure(401, 'UNAUTHORIZED', 'a token is required', { 'www-authenticate': challenge });
  }
}

/** What tokens are for. */
export const tokenService = 'tscontainer';

/** Reads a user name and a password out of an Authorization header. */
export function parseBasic(header: string | undefined): { username: string; password: string } | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/_-]+=*)$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const plain = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = plain.indexOf(':');
  return colon === -1 ? undefined : { username: plain.slice(0, colon), password: plain.slice(colon + 1) };
}

function covers(grants: readonly Grant[], { repository, action }: WantedAccess): boolean {
  return grants.some((grant) => grant.repository === repository && grant.actions.includes(action));
}

/** Clients that push read as well. */
function scopeOf({ repository, action }: WantedAccess): string {
  if (repository === undefined) return 'registry:catalog:*';
  return `repository:${repository}:${action === 'push' ? 'pull,push' : action}`;
}

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
