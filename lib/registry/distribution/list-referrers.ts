import type { Descriptor } from '../../core/descriptor.js';
import type { Digest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import { decodeManifestOrIndex } from '../../core/manifest.js';
import { mediaTypes } from '../../core/media-types.js';
import { formatFamiliarReference, type Reference } from '../../core/reference.js';
import type { RegistryRequestOptions } from '../registry-client.js';
import { parseNextLink } from './parse-next-link.js';
import { readBounded } from './read-bounded.js';
import { readReferrersTag } from './referrers-tag.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import type { RegistrySession } from './registry-session.js';
import { repositoryScope } from './scopes.js';

export interface ListReferrersOptions extends RegistryRequestOptions {
  readonly artifactType?: string;
}

/**
 * The referrers of `subject`, from the registry or, where it does not list them, from the tag where clients do.
 *
 * @see OCI distribution-spec, "Listing Referrers", "Unavailable Referrers API"
 */
export async function listReferrers(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  reference: Reference,
  subject: Digest,
  options: ListReferrersOptions,
): Promise<readonly Descriptor[]> {
  const { artifactType } = options;
  const listed =
    (await askRegistry(session, endpoint, reference, subject, options)) ??
    (await readReferrersTag(session, endpoint, reference, subject, options));
  return artifactType === undefined ? listed : listed.filter((each) => each.artifactType === artifactType);
}

/** Undefined when the registry does not list referrers. */
export async function askRegistry(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  reference: Reference,
  subject: Digest,
  options: ListReferrersOptions,
): Promise<readonly Descriptor[] | undefined> {
  const { repository } = reference;
  const what = `referrers of ${formatFamiliarReference({ ...reference, digest: subject })}`;
  const query = options.artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(options.artifactType)}`;
  const request = {
    ...options,
    endpoint,
    scopes: [repositoryScope(repository, 'pull')],
    headers: { accept: mediaTypes.ociIndex },
  };
  const found: Descriptor[] = [];
  let path: string | URL | undefined = `${repository}/referrers/${subject}${query}`;
  for (let pages = 0; path !== undefined; pages += 1) {
    if (pages >= limits.manifestFetches * 4 || found.length > limits.indexEntries * 16) {
      const { registry } = endpoint;
      throw new EngineError('REGISTRY_PROTOCOL', { registry, reason: `${what} have no end` });
    }
    const page: Page | 'none' = await session.attempt({ ...request, path }, async (response) => {
      if (response.status === 404) {
        response.discard();
        return 'none' as const;
      }
      if (response.status !== 200) return undefined;
      const bytes = await readBounded(response.body, limits.manifestBytes, what);
      const document = decodeManifestOrIndex(bytes, response.headers.get('content-type'), what);
      if (document.kind !== 'index') throw new EngineError('INVALID_MANIFEST', { what, reason: 'it is no index' });
      return { manifests: document.manifests, next: parseNextLink(response.headers.get('link'), response.url) };
    });
    if (page === 'none') return undefined;
    found.push(...page.manifests);
    if (page.next !== undefined && page.next.origin !== endpoint.url.origin) {
      const { registry } = endpoint;
      throw new EngineError('REGISTRY_PROTOCOL', { registry, reason: `${what} go on at another host` });
    }
    path = page.next;
  }
  return found;
}

interface Page {
  readonly manifests: readonly Descriptor[];
  readonly next: URL | undefined;
}
