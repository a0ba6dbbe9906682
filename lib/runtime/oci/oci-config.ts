import { bool, type Decoded, type Decoder, integer, listOf, mapOf, optional, record, text } from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { absolutePath, cText } from './decode-values.js';
import { invalidConfig } from './invalid-config.js';
import { idMapping, ociLinux } from './oci-linux.js';
import { ociProcess } from './oci-process.js';
import { parseExactJson } from './parse-exact-json.js';

const mount = record({
  destination: cText,
  type: optional(cText),
  source: optional(cText),
  options: optional(listOf(cText)),
  uidMappings: optional(listOf(idMapping)),
  gidMappings: optional(listOf(idMapping)),
});

const hook = record({
  path: absolutePath,
  args: optional(listOf(cText)),
  env: optional(listOf(cText)),
  timeout: optional(integer),
});

const hooks = record({
  prestart: optional(listOf(hook)),
  createRuntime: optional(listOf(hook)),
  createContainer: optional(listOf(hook)),
  startContainer: optional(listOf(hook)),
  poststart: optional(listOf(hook)),
  poststop: optional(listOf(hook)),
});

const config = record({
  ociVersion: text,
  root: record({ path: cText, readonly: optional(bool) }),
  mounts: optional(listOf(mount)),
  process: optional(ociProcess),
  hostname: optional(cText),
  domainname: optional(cText),
  hooks: optional(hooks),
  annotations: optional(mapOf(text)),
  linux: optional(ociLinux),
});

/** What a bundle's config.json says. Unknown properties are dropped, as the specification asks. */
export type OciConfig = Decoded<typeof config>;
export type OciMount = Decoded<typeof mount>;
export type OciHook = Decoded<typeof hook>;
export type OciHooks = Decoded<typeof hooks>;
export type HookKind = keyof OciHooks;

/**
 * Decodes a configuration of version 1.x.
 *
 * @throws EngineError `INVALID_OCI_CONFIG` naming the place inside the document.
 * @see OCI runtime-spec, config.md
 */
export function decodeOciConfig(json: string, path = 'config.json'): OciConfig {
  const decoded = decodeOci(json, config, path);
  if (!/^1\.\d+\.\d+(?:[-+].*)?$/.test(decoded.ociVersion))
    invalidConfig(`${path}.ociVersion`, `version ${decoded.ociVersion} is not supported`);
  return decoded;
}

/** The same for another document of the specification: a process, resources. */
export function decodeOci<T>(json: string, decoder: Decoder<T>, path: string): T {
  const value = parseExactJson(json, path);
  try {
    return decoder(value, path);
  } catch (error) {
    if (!EngineError.is(error, 'CORRUPT_RECORD')) throw error;
    return invalidConfig(error.data.path, `expected ${error.data.expected}`);
  }
}
