import type { Descriptor } from '../../core/descriptor.js';
import { type Digest, digestOf, splitDigest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { decodeManifestOrIndex } from '../../core/manifest.js';
import { mediaTypes } from '../../core/media-types.js';
import { formatFamiliarReference, type Reference } from '../../core/reference.js';
import type { FetchedManifest, RegistryRequestOptions } from '../registry-client.js';
import { fetchManifest } from './fetch-manifest.js';
import { pushManifest } from './push-manifest.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import type { RegistrySession } from './registry-session.js';

/** The tag under which clients list the referrers of `digest`. @see OCI distribution-spec, "Referrers Tag Schema" */
export function referrersTag(digest: Digest): string {
  const [algorithm, hex] = splitDigest(digest);
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
}

/** What the referrers tag lists; empty when there is no such tag. */
export async function readReferrersTag(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  reference: Reference,
  subject: Digest,
  options: RegistryRequestOptions,
): Promise<readonly Descriptor[]> {
  const { registry, repository } = reference;
  const named = { registry, repository, tag: referrersTag(subject) };
  let fetched: FetchedManifest;
  try {
    fetched = await fetchManifest(session, endpoint, named, options);
  } catch (error) {
    if (EngineError.is(error, 'IMAGE_NOT_FOUND')) return [];
    throw error;
  }
  const what = `referrers in ${formatFamiliarReference(named)}`;
  const document = decodeManifestOrIndex(fetched.bytes, fetched.descriptor.mediaType, what);
  if (document.kind === 'index') return document.manifests;
  throw new EngineError('INVALID_MANIFEST', { what, reason: 'it is no index' });
}

/** Writes the list anew as `change` makes it of the one that is there; does nothing when `change` gives undefined. */
export async function changeReferrersTag(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  reference: Reference,
  subject: Digest,
  change: (listed: readonly Descriptor[]) => readonly Descriptor[] | undefined,
  options: RegistryRequestOptions,
): Promise<void> {
  const manifests = change(await readReferrersTag(session, endpoint, reference, subject, options));
  if (manifests === undefined) return;
  const mediaType = mediaTypes.ociIndex;
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  const { registry, repository } = reference;
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  const named = { registry, repository, tag: referrersTag(subject) };
  await pushManifest(session, endpoint, named, { descriptor, bytes }, options);
}
