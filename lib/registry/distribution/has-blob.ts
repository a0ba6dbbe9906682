import type { Digest } from '../../core/digest.js';
import type { RegistryRequestOptions } from '../registry-client.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import type { RegistrySession } from './registry-session.js';
import { repositoryAt } from './repository-path.js';

/** Asks a repository whether it has a blob. `scopes` are those of the work that the question belongs to. */
export async function hasBlob(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  repository: string,
  digest: Digest,
  scopes: readonly string[],
  options: RegistryRequestOptions,
): Promise<boolean> {
  const path = `${repositoryAt(endpoint, repository)}/blobs/${digest}`;
  return session.ask({ ...options, endpoint, method: 'HEAD', path, scopes }, (response) => {
    if (response.status === 200) return true;
    return response.status === 404 ? false : undefined;
  });
}
