import { EngineError } from '../core/errors/engine-error.js';
import type { RegistryServer } from '../registry/registry-server.js';
import { readPem } from '../util/read-pem.js';
import type { ServeRegistryOptions } from './serve-registry-options.js';

/**
 * Serves a registry: OCI distribution, as Docker, podman, skopeo and this package speak it. Pull, push in one or several
 * parts, mounts, lists, referrers, deletion. It is served until `close()`, which the engine's `close()` includes.
 *
 * @throws EngineError `INVALID_OPTION`; `SYSTEM_CALL_FAILED` when the address cannot be had (`errno` EADDRINUSE).
 * @see OCI distribution-spec v1.1
 */
export async function serveRegistry(options: ServeRegistryOptions): Promise<RegistryServer> {
  check(options);
  const { openRegistryServer } = await import('./default-registry-server.js');
  const { tls } = options;
  return openRegistryServer({
    ...options,
    tls:
      tls === undefined
        ? undefined
        : {
            cert: await readPem(tls.cert, 'tls.cert'),
            key: await readPem(tls.key, 'tls.key'),
            clientCa: tls.clientCa === undefined ? undefined : await readPem(tls.clientCa, 'tls.clientCa'),
          },
  });
}

function check({ host, port = 0, auth, engine, directory, uploadExpiryMs = 1 }: ServeRegistryOptions): void {
  const refuse = (option: string, expected: string, got: unknown): never => {
    throw new EngineError('INVALID_OPTION', { option, expected, got: String(got).slice(0, 200) });
  };
  if ((engine === undefined) === (directory === undefined))
    refuse('engine', 'an engine, or else a directory', 'both or none');
  if (directory === '') refuse('directory', 'a path', directory);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) refuse('port', '0 to 65535', port);
  if (host === '') refuse('host', 'an address', host);
  if (!Number.isFinite(uploadExpiryMs) || uploadExpiryMs <= 0) refuse('uploadExpiryMs', 'milliseconds', uploadExpiryMs);
  if (auth === undefined) return;
  if (auth.kind !== 'basic' && auth.kind !== 'token') refuse('auth.kind', "'basic' or 'token'", auth.kind);
  if (typeof auth.users !== 'function' && (typeof auth.users !== 'object' || auth.users === null)) {
    refuse('auth.users', 'passwords by user, or a function', auth.users);
  }
}
