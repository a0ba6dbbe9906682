import type { Descriptor } from '../core/descriptor.js';
import { EngineError } from '../core/errors/engine-error.js';
import { limits } from '../core/limits.js';
import { decodeManifestOrIndex, type ImageIndex, type ImageManifest, requireImage } from '../core/manifest.js';
import { formatPlatform, type Platform } from '../core/platform.js';
import { formatFamiliarReference, type Reference } from '../core/reference.js';
import { availablePlatforms, candidatesFromIndex } from './choose-platform.js';
import type { FetchedManifest, RegistryReader, RegistryRequestOptions } from './registry-client.js';

/** What a reference means on one platform. */
export interface FetchedImageManifest {
  /** What the reference names: an index, or the manifest itself. Its digest is the "repo digest" of the image. */
  readonly top: FetchedManifest;
  /** The manifest for the platform, as bytes and decoded. */
  readonly fetched: FetchedManifest;
  readonly manifest: ImageManifest;
}

/**
 * Fetches what `reference` names and goes through indexes, nested ones too, to the image manifest for `platform`.
 *
 * @throws EngineError `PLATFORM_NOT_FOUND` with the platforms that are there; `INVALID_MANIFEST`;
 * `UNSUPPORTED_MEDIA_TYPE` for what is no image; whatever {@link RegistryReader.fetchManifest} throws.
 */
export async function fetchImageManifest(
  registry: RegistryReader,
  reference: Reference,
  platform: Platform,
  options: RegistryRequestOptions = {},
): Promise<FetchedImageManifest> {
  const top = await registry.fetchManifest(reference, options);
  const search: Search = { registry, reference, platform, options, available: new Set(), fetches: 0 };
  const found = await descend(search, top, 0);
  if (found !== undefined) return { top, ...found };
  throw new EngineError('PLATFORM_NOT_FOUND', {
    reference: formatFamiliarReference(reference),
    platform: formatPlatform(platform),
    available: [...search.available],
  });
}

interface Search {
  readonly registry: RegistryReader;
  readonly reference: Reference;
  readonly platform: Platform;
  readonly options: RegistryRequestOptions;
  readonly available: Set<string>;
  fetches: number;
}

type Found = Omit<FetchedImageManifest, 'top'>;

async function descend(search: Search, fetched: FetchedManifest, depth: number): Promise<Found | undefined> {
  const what = `manifest ${fetched.descriptor.digest} of ${formatFamiliarReference(search.reference)}`;
  const document = decodeManifestOrIndex(fetched.bytes, fetched.descriptor.mediaType, what);
  if (document.kind === 'index') return searchIndex(search, document, depth, what);
  requireImage(document, what);
  return { fetched, manifest: document };
}

async function searchIndex(search: Search, index: ImageIndex, depth: number, what: string): Promise<Found | undefined> {
  for (const each of availablePlatforms(index)) search.available.add(each);
  for (const candidate of candidatesFromIndex(index, search.platform)) {
    search.fetches += 1;
    if (depth >= limits.indexDepth || search.fetches > limits.manifestFetches) {
      const reason = `its indexes are nested deeper than ${limits.indexDepth} or are more than ${limits.manifestFetches}`;
      throw new EngineError('INVALID_MANIFEST', { what, reason });
    }
    const found = await descend(search, await fetchEntry(search, candidate), depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function fetchEntry(search: Search, entry: Descriptor): Promise<FetchedManifest> {
  const fetched = await search.registry.fetchManifestByDigest(search.reference, entry.digest, search.options);
  const what = `manifest ${entry.digest}`;
  if (fetched.descriptor.size !== entry.size) {
    const { size } = fetched.descriptor;
    throw new EngineError('SIZE_MISMATCH', { what, expectedBytes: entry.size, actualBytes: size });
  }
  if (fetched.descriptor.mediaType !== entry.mediaType) {
    const reason = `the index has it as ${entry.mediaType}, the registry as ${fetched.descriptor.mediaType}`;
    throw new EngineError('INVALID_MANIFEST', { what, reason });
  }
  return fetched;
}
