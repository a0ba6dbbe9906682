import { isDigest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { decodeManifestOrIndex } from '../../core/manifest.js';
import { formatFamiliarReference, type Reference } from '../../core/reference.js';
import { verifyDigest } from '../../core/verify-digest.js';
import type { FetchedManifest, RegistryRequestOptions } from '../registry-client.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import type { RegistrySession, SessionResponse } from './registry-session.js';
import { repositoryScope } from './scopes.js';

/**
 * Stores a manifest or index under the tag of `reference`, else under its digest. True when it has a subject that the
 * registry did not take notice of: then it has to be listed by its client.
 *
 * @see OCI distribution-spec, "Pushing Manifests", "Pushing Manifests with Subject"
 */
export async function pushManifest(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  reference: Reference,
  manifest: FetchedManifest,
  options: RegistryRequestOptions,
): Promise<boolean> {
  const { descriptor, bytes } = manifest;
  const { repository } = reference;
  const what = `manifest for ${formatFamiliarReference(reference)}`;
  verifyDigest(bytes, descriptor.digest, what);
  const { subject } = decodeManifestOrIndex(bytes, descriptor.mediaType, what);
  const request = {
    ...options,
    endpoint,
    method: 'PUT',
    path: `${repository}/manifests/${reference.tag ?? descriptor.digest}`,
    scopes: [repositoryScope(repository, 'pull', 'push')],
    headers: { 'content-type': descriptor.mediaType, 'content-length': String(bytes.byteLength) },
    body: () => bytes,
  } as const;
  return session.ask(request, (response) => {
    if (response.status !== 201) return undefined;
    verifyAnswer(response, manifest, endpoint.registry);
    return subject !== undefined && response.headers.get('oci-subject')?.trim() !== subject.digest;
  });
}

function verifyAnswer(response: SessionResponse, { descriptor, bytes }: FetchedManifest, registry: string): void {
  const said = response.headers.get('docker-content-digest')?.trim() ?? '';
  if (said === '') return;
  if (!isDigest(said)) {
    const reason = 'its Docker-Content-Digest header is no digest';
    throw new EngineError('REGISTRY_PROTOCOL', { registry, reason });
  }
  // It may name the same bytes by another algorithm.
  verifyDigest(bytes, said, `manifest ${descriptor.digest} as ${registry} has stored it`);
}
