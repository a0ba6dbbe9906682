import { EngineError } from '../../core/errors/engine-error.js';

/**
 * Where a registry is spoken to: `https://registry-1.docker.io` for `docker.io`, plain HTTP for this machine and for
 * the hosts in `plainHttp` (each with its port, if any), HTTPS for the rest. HTTPS never falls back to HTTP.
 *
 * @throws EngineError `INVALID_OPTION` when `registry` is no host.
 */
export function registryUrl(registry: string, plainHttp: readonly string[]): URL {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const url = URL.canParse(`https://${host}/`) ? new URL(`https://${host}/`) : undefined;
  if (url === undefined || url.username !== '' || url.pathname !== '/' || url.search !== '') {
    throw new EngineError('INVALID_OPTION', { option: 'registry', expected: 'host[:port]', got: host.slice(0, 200) });
  }
  return mayUsePlainHttp(url, plainHttp, registry) ? new URL(`http://${host}/`) : url;
}

/** True for this machine and for hosts that the user has listed. `name` is how the user writes the host. */
export function mayUsePlainHttp(url: URL, plainHttp: readonly string[], name = url.host): boolean {
  return plainHttp.includes(name) || isLoopback(url.hostname);
}

/** True for this machine: `localhost:5000`, `127.0.0.1`. */
export function isLoopbackHost(host: string): boolean {
  return URL.canParse(`http://${host}/`) && isLoopback(new URL(`http://${host}/`).hostname);
}

/** URL has brought every notation of an IPv4 address to four decimal numbers. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
