import type { RegistryEndpoint } from './registry-endpoint.js';

/** `proxy/team/app`: the repository's name at this endpoint. */
export function repositoryAt({ prefix }: RegistryEndpoint, repository: string): string {
  return `${prefix}${repository}`;
}

/** `team/app/manifests/1`, below `/v2/`; for a mirror with the registry that it stands for. */
export function pullPath(endpoint: RegistryEndpoint, repository: string, rest: string): string {
  const query = endpoint.namespace === undefined ? '' : `?ns=${encodeURIComponent(endpoint.namespace)}`;
  return `${repositoryAt(endpoint, repository)}/${rest}${query}`;
}
