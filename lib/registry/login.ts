import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import { parseRegistry } from '../core/reference.js';
import { type Credential, type CredentialSource, isCredentialStore } from './credential-source.js';
import type { RegistryClient } from './registry-client.js';

/** What a registry is logged in to with: a credential, or in short a user name and password. */
export type LoginCredential = Credential | { readonly username: string; readonly password: string };

/** What a login has come to. */
export interface LoginResult {
  /** As references name it: `docker.io`, `localhost:5000`. */
  readonly registry: string;
  /** Where the credential is kept: the path of a file, or the name of a credential helper. */
  readonly storedIn: string;
  /** True when an identity token is kept instead of the password. */
  readonly identityToken: boolean;
}

/** What logging in and out work with. */
export interface LoginServices {
  readonly registry: RegistryClient;
  readonly credentials: CredentialSource;
}

/**
 * Proves a credential to a registry and stores it.
 *
 * @throws EngineError `INVALID_OPTION`, `REGISTRY_DENIED`, `CREDENTIALS_FAILED`; a registry that cannot be asked throws
 * what a pull from it would.
 */
export async function login(
  services: LoginServices,
  registryText: string,
  given: LoginCredential,
  options: Abortable,
): Promise<LoginResult> {
  const registry = parseRegistry(registryText);
  const credential = completeCredential(given);
  const { credentials } = services;
  if (!isCredentialStore(credentials)) throw unstorable(registry);
  const proved = await services.registry.authenticate(registry, credential, options);
  options.signal?.throwIfAborted();
  const storedIn = await credentials.store(registry, proved);
  services.registry.forget(registry);
  return { registry, storedIn, identityToken: proved.kind === 'identity-token' };
}

/** Forgets the credential of a registry; false when there was none. @throws EngineError `INVALID_OPTION`, `CREDENTIALS_FAILED`. */
export async function logout(services: LoginServices, registryText: string): Promise<boolean> {
  const registry = parseRegistry(registryText);
  const { credentials } = services;
  if (!isCredentialStore(credentials)) throw unstorable(registry);
  services.registry.forget(registry);
  return credentials.erase(registry);
}

function unstorable(registry: string): EngineError {
  const reason = 'this engine was opened with credentials that cannot be stored';
  return new EngineError('CREDENTIALS_FAILED', { registry, source: 'option credentials', reason });
}

/**
 * A credential from its short form.
 *
 * @throws EngineError `INVALID_OPTION` naming `option`.
 */
export function completeCredential(credential: LoginCredential, option = 'credential'): Credential {
  const complete: Credential = 'kind' in credential ? credential : { kind: 'basic', ...credential };
  checkCredential(complete, option);
  return complete;
}

/** What is sent as user and password must be one: a colon ends the user's name. @see RFC 7617, section 2 */
function checkCredential(credential: Credential, place: string): void {
  const refuse = (option: string, expected: string): never => {
    throw new EngineError('INVALID_OPTION', { option: `${place}.${option}`, expected, got: 'something else' });
  };
  if (credential.kind === 'identity-token') {
    if (typeof credential.token !== 'string' || credential.token === '') refuse('token', 'an identity token');
    return;
  }
  if (credential.kind !== 'basic') refuse('kind', "'basic' or 'identity-token'");
  if (typeof credential.username !== 'string' || typeof credential.password !== 'string') {
    refuse('username', 'a user name, and a password beside it');
  }
  if (!/^[^:\u0000-\u001f\u007f]+$/.test(credential.username)) refuse('username', 'a name without a colon');
  if (/[\u0000-\u001f\u007f]/.test(credential.password)) refuse('password', 'text without controls');
}
