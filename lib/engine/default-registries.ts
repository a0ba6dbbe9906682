import { homedir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../core/errors/engine-error.js';
import { parseRegistry } from '../core/reference.js';
import { type CredentialSource, isCredentialStore } from '../registry/credential-source.js';
import { DistributionRegistryClient } from '../registry/distribution/distribution-registry-client.js';
import { RegistryHostFinder } from '../registry/distribution/find-registry-host.js';
import { isLoopbackHost } from '../registry/distribution/registry-url.js';
import { DockerConfigCredentialSource } from '../registry/docker-config/docker-config-credential-source.js';
import { NodeFetchHttpClient } from '../registry/node-fetch/node-fetch-http-client.js';
import type { RegistryClient } from '../registry/registry-client.js';
import { checkRegistries, type RegistrySettings } from '../registry/registry-options.js';
import { registryCertificates } from '../registry/tls/registry-certificates.js';
import type { EngineOptions } from './engine-options.js';

/** Where administrators put certificates, for podman and skopeo, and for Docker. */
const certificateDirectories = ['/etc/containers/certs.d', '/etc/docker/certs.d'];

/** The way to registries that an engine's options describe. */
export function openRegistries(options: EngineOptions): {
  readonly registry: RegistryClient;
  readonly credentials: CredentialSource;
} {
  const insecure = (options.insecureRegistries ?? []).map((each) => parseRegistry(each, 'insecureRegistries'));
  const isPlain = (host: string): boolean => insecure.includes(host) || isLoopbackHost(host);
  const settings = checkRegistries(options.registries ?? {}, isPlain);
  const credentials = withConfigured(settings, openCredentials(options));
  if (options.registry !== undefined) return { registry: options.registry, credentials };
  const directories = options.certificateDirectories ?? certificateDirectories;
  const hosts = new RegistryHostFinder({
    settings,
    certificates: (registry) => registryCertificates(registry, settings.get(registry), directories),
    makeHttp: ({ ca, identity }, host) =>
      new NodeFetchHttpClient({ ca, ...(identity !== undefined && { identity: { host, ...identity } }) }),
  });
  const registry = new DistributionRegistryClient({
    http: new NodeFetchHttpClient(),
    credentials,
    plainHttp: [...insecure, ...[...settings].filter(([, { plainHttp }]) => plainHttp === true).map(([name]) => name)],
    findHost: (name) => hosts.find(name),
    closeHosts: () => hosts.close(),
    stallTimeoutMs: checkStallTimeout(options.registryStallTimeoutMs),
  });
  return { registry, credentials };
}

function openCredentials(options: EngineOptions): CredentialSource {
  const dockerConfig = options.dockerConfig ?? join(homedir(), '.docker', 'config.json');
  return options.credentials ?? new DockerConfigCredentialSource(dockerConfig);
}

/** What an option says comes before what is stored. */
function withConfigured(settings: ReadonlyMap<string, RegistrySettings>, base: CredentialSource): CredentialSource {
  const find: CredentialSource['find'] = async (registry) =>
    settings.get(registry)?.credential ?? (await base.find(registry));
  if (!isCredentialStore(base)) return { find };
  return {
    find,
    ...{
      store: (registry: string, credential: Parameters<typeof base.store>[1]) => base.store(registry, credential),
      erase: (registry: string) => base.erase(registry),
    },
  };
}

function checkStallTimeout(value: number | undefined): number | undefined {
  if (value === undefined || (Number.isFinite(value) && value > 0)) return value;
  const option = 'registryStallTimeoutMs';
  throw new EngineError('INVALID_OPTION', { option, expected: 'milliseconds above 0', got: String(value) });
}
