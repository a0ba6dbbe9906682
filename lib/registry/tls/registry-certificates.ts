import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import { isMissing } from '../../util/file-error.js';
import { readPem } from '../../util/read-pem.js';
import type { RegistrySettings } from '../registry-options.js';

/** What TLS with one registry takes; all PEM. */
export interface RegistryCertificates {
  /** Authorities besides the usual ones. */
  readonly ca: readonly string[];
  readonly identity: { readonly cert: string; readonly key: string } | undefined;
}

/**
 * The certificates for a registry: those of the options, else those that the machine's administrator has put into
 * `HOST:PORT` below one of `directories` (`*.crt` authorities, `*.cert` with `*.key` the client's own).
 *
 * @throws EngineError `INVALID_OPTION` for what cannot be read, and for a certificate without its key.
 * @see containers-certs.d(5); Docker Engine, "Verify repository client with certificates"
 */
export async function registryCertificates(
  registry: string,
  settings: RegistrySettings | undefined,
  directories: readonly string[],
): Promise<RegistryCertificates | undefined> {
  const place = `registries['${registry}']`;
  if (settings !== undefined && (settings.ca.length > 0 || settings.identity !== undefined)) {
    const { ca, identity } = settings;
    return {
      ca: await Promise.all(ca.map((each) => readPem(each, `${place}.ca`))),
      identity:
        identity === undefined
          ? undefined
          : {
              cert: await readPem(identity.cert, `${place}.cert`),
              key: await readPem(identity.key, `${place}.key`),
            },
    };
  }
  if (settings?.plainHttp === true) return undefined;
  for (const directory of directories) {
    const found = await readDirectory(join(directory, registry));
    if (found !== undefined) return found;
  }
  return undefined;
}

async function readDirectory(path: string): Promise<RegistryCertificates | undefined> {
  const names = await namesIn(path);
  const read = (name: string): Promise<string> => readFile(join(path, name), 'utf8');
  const ca = await Promise.all(names.filter((name) => name.endsWith('.crt')).map(read));
  const own = names.find((name) => name.endsWith('.cert'));
  if (own === undefined) return ca.length === 0 ? undefined : { ca, identity: undefined };
  const key = `${own.slice(0, -'.cert'.length)}.key`;
  if (!names.includes(key)) {
    throw new EngineError('INVALID_OPTION', { option: path, expected: `${key} beside ${own}`, got: 'no such file' });
  }
  return { ca, identity: { cert: await read(own), key: await read(key) } };
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return [];
    throw error;
  }
}
