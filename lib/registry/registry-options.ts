import { EngineError } from '../core/errors/engine-error.js';
import { isRepositoryName, parseRegistry } from '../core/reference.js';
import type { Credential } from './credential-source.js';
import { completeCredential, type LoginCredential } from './login.js';

/** How one registry is spoken to. */
export interface RegistryOptions {
  /**
   * Registries that hold copies of this one's repositories: `mirror.test:5000`, `https://cache.test/docker-hub` (the path
   * goes before the names of repositories). A pull asks them in this order and the registry itself at last. They get
   * their own credentials and never those of this registry. A push goes to the registry itself. Default: none.
   */
  readonly mirrors?: readonly string[];
  /** True to speak to it without encryption. Default: false, except for this machine (`localhost`, 127.0.0.0/8, ::1). */
  readonly plainHttp?: boolean;
  /** Certificate authorities to trust besides the usual ones: PEM text, or absolute paths of PEM files. */
  readonly ca?: string | readonly string[];
  /** What the registry should know this client by: a certificate, PEM text or the absolute path of a PEM file. */
  readonly cert?: string;
  /** The key of `cert`. */
  readonly key?: string;
  /** Credential to show, in the place of one that is stored. */
  readonly credential?: LoginCredential;
}

/** A mirror in parts. */
export interface MirrorSettings {
  readonly host: string;
  /** Ends with a slash, or is empty. */
  readonly prefix: string;
  /** Undefined: as its host is spoken to anyway. */
  readonly encrypted: boolean | undefined;
}

/** Options that have been checked. */
export interface RegistrySettings {
  readonly mirrors: readonly MirrorSettings[];
  readonly plainHttp: boolean | undefined;
  readonly ca: readonly string[];
  readonly identity: { readonly cert: string; readonly key: string } | undefined;
  readonly credential: Credential | undefined;
}

/**
 * Checks the engine's option `registries`.
 *
 * @param mayUsePlainHttp - of the hosts that need no encryption besides those that say so themselves.
 * @throws EngineError `INVALID_OPTION` naming the place in it.
 */
export function checkRegistries(
  registries: Readonly<Record<string, RegistryOptions>>,
  mayUsePlainHttp: (host: string) => boolean,
): ReadonlyMap<string, RegistrySettings> {
  const settings = new Map<string, RegistrySettings>();
  for (const [name, options] of Object.entries(registries)) {
    const place = `registries['${name.slice(0, 100)}']`;
    const registry = parseRegistry(name, place);
    if (settings.has(registry)) throw refusal(place, 'each registry once', registry);
    settings.set(registry, checkRegistry(options, place));
  }
  for (const [registry, { mirrors }] of settings) {
    for (const { host, encrypted } of mirrors) {
      const isPlain = encrypted === false && settings.get(host)?.plainHttp !== true && !mayUsePlainHttp(host);
      if (isPlain) {
        throw refusal(
          `registries['${registry}'].mirrors`,
          `https, or registries['${host}'].plainHttp`,
          `http://${host}`,
        );
      }
    }
  }
  return settings;
}

function checkRegistry(options: RegistryOptions, place: string): RegistrySettings {
  const { mirrors = [], plainHttp, ca = [], cert, key, credential } = options;
  if (!Array.isArray(mirrors)) throw refusal(`${place}.mirrors`, 'an array', typeof mirrors);
  if (plainHttp !== undefined && typeof plainHttp !== 'boolean') {
    throw refusal(`${place}.plainHttp`, 'true or false', typeof plainHttp);
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw refusal(`${place}.${cert === undefined ? 'cert' : 'key'}`, 'both cert and key, or none', 'one of them');
  }
  const authorities = typeof ca === 'string' ? [ca] : ca;
  if (plainHttp === true && (authorities.length > 0 || cert !== undefined)) {
    throw refusal(`${place}.plainHttp`, 'false where there are certificates', 'true');
  }
  return {
    mirrors: mirrors.map((each, index) => checkMirror(each, `${place}.mirrors[${index}]`)),
    plainHttp,
    ca: authorities,
    identity: cert === undefined || key === undefined ? undefined : { cert, key },
    credential: credential === undefined ? undefined : completeCredential(credential, `${place}.credential`),
  };
}

function checkMirror(text: string, place: string): MirrorSettings {
  const match = /^(?:(https?):\/\/)?([^/?#@]+)(?:\/([^?#]*))?$/.exec(text);
  const [, scheme, host, path = ''] = match ?? [];
  const prefix = path.replace(/\/+$/, '');
  if (host === undefined || (prefix !== '' && !isRepositoryName(prefix))) {
    throw refusal(place, 'host[:port][/path], with or without https://', text);
  }
  return {
    host: parseRegistry(host, place),
    prefix: prefix === '' ? '' : `${prefix}/`,
    encrypted: scheme === undefined ? undefined : scheme === 'https',
  };
}

function refusal(option: string, expected: string, got: string): EngineError {
  return new EngineError('INVALID_OPTION', { option, expected, got: got.slice(0, 200) });
}
