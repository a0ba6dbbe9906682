import type { Descriptor } from '../../core/descriptor.js';
import { isDigest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { acceptedManifestTypes } from '../../core/media-types.js';
import type { Reference } from '../../core/reference.js';
import type { RegistryRequestOptions } from '../registry-client.js';
import { fetchManifest, manifestRequest } from './fetch-manifest.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import type { RegistrySession } from './registry-session.js';

/**
 * What a reference names, by HEAD; undefined when it names nothing. A registry whose headers do not say it is asked for
 * the manifest itself.
 *
 * @see OCI distribution-spec, "Checking if content exists in the registry"
 */
export async function resolveManifest(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  reference: Reference,
  options: RegistryRequestOptions,
): Promise<Descriptor | undefined> {
  const request = { ...manifestRequest(endpoint, reference, options), method: 'HEAD' } as const;
  try {
    const said = await session.ask(request, ({ status, headers }) => {
      if (status !== 200) return undefined;
      const digest = headers.get('docker-content-digest')?.trim() ?? reference.digest ?? '';
      const size = Number(headers.get('content-length') ?? Number.NaN);
      const mediaType = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
      const usable = isDigest(digest) && Number.isSafeInteger(size) && acceptedManifestTypes.includes(mediaType);
      return usable && digest === (reference.digest ?? digest) ? { mediaType, digest, size } : 'incomplete';
    });
    return said === 'incomplete' ? (await fetchManifest(session, endpoint, reference, options)).descriptor : said;
  } catch (error) {
    if (EngineError.is(error, 'IMAGE_NOT_FOUND')) return undefined;
    throw error;
  }
}
