import { EngineError } from '../../core/errors/engine-error.js';
import type { Credential, CredentialStore } from '../credential-source.js';
import { changeDockerAuths, type DockerAuthEntry, type DockerConfig, readDockerConfig } from './docker-config.js';
import { type CredentialHelper, eraseByHelper, runCredentialHelper, storeByHelper } from './run-credential-helper.js';

export interface DockerConfigOptions {
  /** Environment of credential helpers, PATH included. Default: that of this process. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** How long a helper may take. Default 30 000. */
  readonly helperTimeoutMs?: number | undefined;
}

/** What `docker login` calls Docker Hub. */
const dockerHubServer = 'https://index.docker.io/v1/';
const dockerHubHosts: readonly string[] = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/**
 * Credentials that `docker login` has stored: in Docker's `config.json` itself or with the helper that it names. The
 * file is read at each call, so that a login is seen at once.
 *
 * A helper that fails is an error and never leads to anonymous access; only its statement that it has no credential
 * lets the file's own entries count.
 *
 * @see Docker CLI reference, "docker login", credential stores
 */
export class DockerConfigCredentialSource implements CredentialStore {
  readonly #path: string;
  readonly #options: DockerConfigOptions;

  /** @param path of the `config.json`; the file need not exist. */
  constructor(path: string, options: DockerConfigOptions = {}) {
    this.#path = path;
    this.#options = options;
  }

  /** @throws EngineError `CREDENTIALS_FAILED`, `CORRUPT_RECORD`, `TOO_LARGE`. */
  async find(registry: string): Promise<Credential | undefined> {
    const config = await this.#read(registry);
    const helper = this.#helper(config, registry);
    if (helper !== undefined) {
      const found = await runCredentialHelper(helper, serverOf(registry), registry);
      if (found !== undefined) return found;
    }
    const entry = entryFor(config, registry);
    return entry === undefined ? undefined : toCredential(entry.value, `${this.#path}: auths.${entry.key}`);
  }

  /** Stores by the helper that the file names, else in the file itself, which is made if missing (mode 0600). */
  async store(registry: string, credential: Credential): Promise<string> {
    const config = await this.#read(registry);
    const helper = this.#helper(config, registry);
    if (helper !== undefined) await storeByHelper(helper, serverOf(registry), credential, registry);
    // An entry without content says, as Docker's does, that there is a login, kept by the helper.
    const entry = helper === undefined ? toEntry(credential) : {};
    await this.#change(registry, (auths) => ({ ...withoutRegistry(auths, registry), [serverOf(registry)]: entry }));
    return helper === undefined ? this.#path : `docker-credential-${helper.name}`;
  }

  async erase(registry: string): Promise<boolean> {
    const config = await this.#read(registry);
    const helper = this.#helper(config, registry);
    const erased = helper !== undefined && (await eraseByHelper(helper, serverOf(registry), registry));
    if (entryFor(config, registry) === undefined) return erased;
    await this.#change(registry, (auths) => withoutRegistry(auths, registry));
    return true;
  }

  #helper(config: DockerConfig, registry: string): CredentialHelper | undefined {
    const name = helperFor(config, registry);
    const { environment, helperTimeoutMs = 30_000 } = this.#options;
    return name === undefined || name === '' ? undefined : { name, environment, timeoutMs: helperTimeoutMs };
  }

  #read(registry: string): Promise<DockerConfig> {
    return this.#onFile(registry, () => readDockerConfig(this.#path));
  }

  #change(registry: string, change: (auths: Readonly<Record<string, unknown>>) => object): Promise<void> {
    return this.#onFile(registry, () => changeDockerAuths(this.#path, change));
  }

  async #onFile<T>(registry: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (EngineError.is(cause)) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new EngineError('CREDENTIALS_FAILED', { registry, source: this.#path, reason }, { cause });
    }
  }
}

const serverOf = (registry: string): string => (dockerHubHosts.includes(registry) ? dockerHubServer : registry);

function toEntry(credential: Credential): DockerAuthEntry {
  if (credential.kind === 'identity-token') return { identitytoken: credential.token };
  return { auth: Buffer.from(`${credential.username}:${credential.password}`).toString('base64') };
}

function withoutRegistry(auths: Readonly<Record<string, unknown>>, registry: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(auths).filter(([key]) => key !== registry && !meansRegistry(key, registry)));
}

function helperFor(config: DockerConfig, registry: string): string | undefined {
  const own = Object.entries(config.credHelpers ?? {}).find(([key]) => meansRegistry(key, registry));
  return own === undefined ? config.credsStore : own[1];
}

function entryFor(config: DockerConfig, registry: string): { key: string; value: DockerAuthEntry } | undefined {
  const exact = config.auths?.[registry];
  if (exact !== undefined) return { key: registry, value: exact };
  const found = Object.entries(config.auths ?? {}).find(([key]) => meansRegistry(key, registry));
  return found?.[1] === undefined ? undefined : { key: found[0], value: found[1] };
}

/** Old logins were stored as URLs. A key with another path is for a part of that registry only, so it does not count. */
function meansRegistry(key: string, registry: string): boolean {
  const match = /^(?:https?:\/\/)?([^/]+)(?:\/(?:v[12]\/?)?)?$/.exec(key);
  const host = match?.[1]?.toLowerCase();
  if (host === undefined) return false;
  return dockerHubHosts.includes(registry) ? dockerHubHosts.includes(host) : host === registry;
}

function toCredential(entry: DockerAuthEntry, path: string): Credential | undefined {
  if (entry.identitytoken !== undefined && entry.identitytoken !== '') {
    return { kind: 'identity-token', token: entry.identitytoken };
  }
  if (entry.auth !== undefined && entry.auth !== '') return fromAuth(entry.auth, path);
  if (entry.username === undefined || entry.username === '') return undefined;
  return { kind: 'basic', username: entry.username, password: entry.password ?? '' };
}

function fromAuth(auth: string, path: string): Credential {
  const plain = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = plain.indexOf(':');
  if (!/^[A-Za-z0-9+/_-]+=*$/.test(auth.trim()) || colon < 1) {
    throw new EngineError('CORRUPT_RECORD', { path: `${path}.auth`, expected: 'base64 of user:password' });
  }
  return { kind: 'basic', username: plain.slice(0, colon), password: plain.slice(colon + 1) };
}
