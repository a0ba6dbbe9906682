import type { Digest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { decodeManifestOrIndex } from '../../core/manifest.js';
import { formatFamiliarReference, type Reference } from '../../core/reference.js';
import type { RegistryRequestOptions } from '../registry-client.js';
import { fetchManifest } from './fetch-manifest.js';
import { askRegistry } from './list-referrers.js';
import { changeReferrersTag } from './referrers-tag.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import type { RegistrySession } from './registry-session.js';
import { repositoryScope } from './scopes.js';

/**
 * Removes a manifest by digest, or a tag. A manifest that is listed among the referrers of another one by its clients
 * is taken off that list.
 *
 * @see OCI distribution-spec, "Deleting tags", "Deleting Manifests"
 */
export async function deleteManifest(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  reference: Reference,
  options: RegistryRequestOptions,
): Promise<void> {
  const { digest } = reference;
  const subject = digest === undefined ? undefined : await subjectOf(session, endpoint, reference, options);
  await remove(session, endpoint, reference, `manifests/${digest ?? reference.tag ?? 'latest'}`, options);
  if (subject === undefined) return;
  if ((await askRegistry(session, endpoint, reference, subject, options)) !== undefined) return;
  await changeReferrersTag(
    session,
    endpoint,
    reference,
    subject,
    (listed) => {
      const rest = listed.filter((each) => each.digest !== digest);
      return rest.length === listed.length ? undefined : rest;
    },
    options,
  );
}

/** @see OCI distribution-spec, "Deleting Blobs" */
export async function deleteBlob(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  reference: Reference,
  digest: Digest,
  options: RegistryRequestOptions,
): Promise<void> {
  await remove(session, endpoint, reference, `blobs/${digest}`, options);
}

async function subjectOf(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  reference: Reference,
  options: RegistryRequestOptions,
): Promise<Digest | undefined> {
  const { bytes, descriptor } = await fetchManifest(session, endpoint, reference, options);
  return decodeManifestOrIndex(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`).subject?.digest;
}

async function remove(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  reference: Reference,
  place: string,
  options: RegistryRequestOptions,
): Promise<void> {
  const { repository } = reference;
  const request = {
    ...options,
    endpoint,
    method: 'DELETE',
    path: `${repository}/${place}`,
    scopes: [repositoryScope(repository, 'pull', 'delete')],
    headers: { 'content-length': '0' },
    notFound: `${formatFamiliarReference(reference)}, ${place}`,
  } as const;
  try {
    await session.ask(request, ({ status }) => (status >= 200 && status < 300 ? true : undefined));
  } catch (error) {
    // "If deletion is disabled, the registry MUST respond with either a 400 or a 405."
    if (!EngineError.is(error, 'REGISTRY_FAILED') || ![400, 405].includes(error.data.status)) throw error;
    const { registry, reason } = error.data;
    throw new EngineError(
      'REGISTRY_UNSUPPORTED',
      { registry, operation: `deleting ${place}`, reason },
      { cause: error },
    );
  }
}
