import { EngineError } from '../../core/errors/engine-error.js';
import type { SessionResponse } from './registry-session.js';

/** Where an upload goes on, as the registry has said it: absolute, or relative to where it said so. */
export function uploadLocation(response: SessionResponse, registry: string): URL {
  const location = response.headers.get('location');
  if (location !== undefined && URL.canParse(location, response.url.href)) return new URL(location, response.url);
  throw new EngineError('REGISTRY_PROTOCOL', { registry, reason: 'an upload without a valid location' });
}

/** The location with the digest that closes the upload; what it has in its query stays as it is. */
export function closingLocation(location: URL, digest: string): URL {
  const closing = new URL(location);
  // Not by searchParams, which would write the registry's own parameters anew.
  closing.search += `${closing.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
  return closing;
}

/**
 * Bytes that are there according to `Range: 0-END`, which is inclusive; 0 when nothing is said. Registries write `0-0`
 * for nothing, too, and nobody sends single bytes: it counts as nothing.
 */
export function receivedBytes(response: SessionResponse): number {
  const match = /^(?:bytes=)?0-(\d{1,15})$/.exec(response.headers.get('range')?.trim() ?? '');
  const end = Number(match?.[1] ?? 0);
  return end === 0 ? 0 : end + 1;
}
