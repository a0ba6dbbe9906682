import type { Digest } from '../../core/digest.js';
import { digestOf, isDigest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import { decodeManifestOrIndex } from '../../core/manifest.js';
import { acceptedManifestTypes } from '../../core/media-types.js';
import { formatFamiliarReference, type Reference } from '../../core/reference.js';
import { verifyDigest } from '../../core/verify-digest.js';
import type { HttpResponse } from '../http-client.js';
import type { FetchedManifest, RegistryRequestOptions } from '../registry-client.js';
import { readBounded } from './read-bounded.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import type { RegistrySession, SessionRequest } from './registry-session.js';
import { pullPath, repositoryAt } from './repository-path.js';
import { repositoryScope } from './scopes.js';

/**
 * Fetches a manifest or index and verifies it: size, digest, and that content, content type and media type agree.
 *
 * @see OCI distribution-spec, "Pulling manifests"
 */
export async function fetchManifest(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  reference: Reference,
  options: RegistryRequestOptions,
): Promise<FetchedManifest> {
  const what = `manifest of ${formatFamiliarReference(reference)}`;
  return session.attempt(manifestRequest(endpoint, reference, options), async (response) => {
    if (response.status !== 200) return undefined;
    const bytes = await readManifest(response, what);
    const digest = verify(bytes, reference, response, what);
    const { mediaType } = decodeManifestOrIndex(bytes, response.headers.get('content-type'), what);
    return { descriptor: { mediaType, digest, size: bytes.byteLength }, bytes };
  });
}

/** The request for what a reference names. */
export function manifestRequest(
  endpoint: RegistryEndpoint,
  reference: Reference,
  options: RegistryRequestOptions,
): SessionRequest {
  const { repository } = reference;
  return {
    ...options,
    endpoint,
    path: pullPath(endpoint, repository, `manifests/${reference.digest ?? reference.tag ?? 'latest'}`),
    scopes: [repositoryScope(repositoryAt(endpoint, repository), 'pull')],
    headers: { accept: acceptedManifestTypes.join(', ') },
    notFound: formatFamiliarReference(reference),
  };
}

async function readManifest(response: HttpResponse, what: string): Promise<Uint8Array> {
  if (Number(response.headers.get('content-length') ?? 0) > limits.manifestBytes) {
    response.discard();
    throw new EngineError('TOO_LARGE', { what, maxBytes: limits.manifestBytes });
  }
  return readBounded(response.body, limits.manifestBytes, what);
}

function verify(bytes: Uint8Array, reference: Reference, response: HttpResponse, what: string): Digest {
  const said = response.headers.get('docker-content-digest')?.trim();
  if (reference.digest !== undefined) verifyDigest(bytes, reference.digest, what);
  if (said === undefined || said === '') return reference.digest ?? digestOf(bytes);
  if (!isDigest(said)) {
    const reason = 'its Docker-Content-Digest header is no digest';
    throw new EngineError('REGISTRY_PROTOCOL', { registry: reference.registry, reason });
  }
  verifyDigest(bytes, said, what);
  return reference.digest ?? said;
}
