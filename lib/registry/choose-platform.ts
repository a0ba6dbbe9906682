import type { Descriptor } from '../core/descriptor.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { ImageIndex } from '../core/manifest.js';
import { isIndexType, isManifestType } from '../core/media-types.js';
import { formatPlatform, type Platform, platformDistance } from '../core/platform.js';

/** As many platforms as an error message can show. */
const maxListed = 32;

/**
 * The entry of an index that fits `platform` best.
 *
 * @param reference names the image in errors.
 * @throws EngineError `PLATFORM_NOT_FOUND`, with the platforms that are there.
 */
export function chooseFromIndex(index: ImageIndex, platform: Platform, reference: string): Descriptor {
  const [best] = candidatesFromIndex(index, platform);
  if (best !== undefined) return best;
  throw new EngineError('PLATFORM_NOT_FOUND', {
    reference,
    platform: formatPlatform(platform),
    available: availablePlatforms(index),
  });
}

/**
 * The entries that may fit `platform`, best first: exact, older variants, nested indexes without a platform, and at
 * last manifests without one, whose configuration must be checked. Attestations are left out.
 */
export function candidatesFromIndex(index: ImageIndex, platform: Platform): readonly Descriptor[] {
  return index.manifests
    .map((descriptor) => ({ descriptor, rank: rank(descriptor, platform) }))
    .filter((candidate): candidate is { descriptor: Descriptor; rank: number } => candidate.rank !== undefined)
    .sort((a, b) => a.rank - b.rank)
    .map((candidate) => candidate.descriptor);
}

/** The platforms of an index in its order, each once, at most 32. */
export function availablePlatforms(index: ImageIndex): readonly string[] {
  const platforms = index.manifests.flatMap((descriptor) =>
    descriptor.platform === undefined || isAttestation(descriptor) ? [] : [formatPlatform(descriptor.platform)],
  );
  return [...new Set(platforms)].slice(0, maxListed);
}

function rank(descriptor: Descriptor, platform: Platform): number | undefined {
  const nested = isIndexType(descriptor.mediaType);
  if (isAttestation(descriptor) || (!nested && !isManifestType(descriptor.mediaType))) return undefined;
  if (descriptor.platform !== undefined) return platformDistance(platform, descriptor.platform);
  return nested ? 1000 : 1001;
}

/** BuildKit stores provenance beside the images as manifests of the platform unknown/unknown. */
function isAttestation({ platform, annotations }: Descriptor): boolean {
  return platform?.os === 'unknown' || annotations?.['vnd.docker.reference.type'] === 'attestation-manifest';
}
