import { readFile, stat } from 'node:fs/promises';
import { type Decoded, decodeJson, mapOf, optional, record, text } from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';

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
  let json: string;
  try {
    const { size } = await stat(path);
    if (size > limits.recordBytes) throw new EngineError('TOO_LARGE', { what: path, maxBytes: limits.recordBytes });
    json = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  return json.trim() === '' ? {} : decodeJson(json, dockerConfig, path);
}
