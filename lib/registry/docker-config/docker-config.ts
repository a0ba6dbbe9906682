import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Decoded, type Decoder, decodeJson, mapOf, optional, record, text } from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import { writeFileAtomically } from '../../util/atomic-file.js';
import { isMissing } from '../../util/file-error.js';

/** The part of Docker's `config.json` that is about credentials. */
export type DockerConfig = Decoded<typeof dockerConfig>;

/** One entry of `auths`. */
export type DockerAuthEntry = Decoded<typeof authEntry>;

const authEntry = record({
  auth: optional(text),
  identitytoken: optional(text),
  username: optional(text),
  password: optional(text),
});

const dockerConfig = record({
  auths: optional(mapOf(optional(authEntry))),
  credHelpers: optional(mapOf(text)),
  credsStore: optional(text),
});

/**
 * Reads the file; a missing one is an empty configuration.
 *
 * @throws EngineError `CORRUPT_RECORD`, `TOO_LARGE`; an unreadable file rejects with the system's error.
 */
export async function readDockerConfig(path: string): Promise<DockerConfig> {
  const json = await readBoundedFile(path);
  return json === undefined ? {} : decodeJson(json, dockerConfig, path);
}

/**
 * Writes the file anew with other `auths`, in one step and for its owner only; whatever else is in it stays. Where the
 * path is a symbolic link, the file that it leads to is replaced.
 *
 * @throws EngineError `CORRUPT_RECORD`, `TOO_LARGE`; what the file system refuses rejects with the system's error.
 */
export async function changeDockerAuths(
  path: string,
  change: (auths: Readonly<Record<string, unknown>>) => object,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const json = await readBoundedFile(path);
  const config = json === undefined ? {} : decodeJson(json, mapOf(anything), path);
  const auths = config['auths'] === undefined ? {} : mapOf(anything)(config['auths'], `${path}.auths`);
  const changed = JSON.stringify({ ...config, auths: change(auths) }, undefined, '\t');
  await writeFileAtomically(await targetOf(path), `${changed}\n`);
}

const anything: Decoder<unknown> = (value) => value;

async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isMissing(error)) return path;
    throw error;
  }
}

/** Undefined for a file that is not there, or empty. */
async function readBoundedFile(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > limits.recordBytes) throw new EngineError('TOO_LARGE', { what: path, maxBytes: limits.recordBytes });
    const json = await readFile(path, 'utf8');
    return json.trim() === '' ? undefined : json;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
