import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import { parseRegistry, splitRegistryPart } from '../core/reference.js';
import type { RegistryClient, RegistrySearchResult } from '../registry/registry-client.js';

export interface SearchOptions extends Abortable {
  /** Where to search. Default: Docker Hub, or the registry that the term begins with (`quay.io/term`). */
  readonly registry?: string;
  /** At most so many results, 1 to 100. Default 25. */
  readonly limit?: number;
  /** What results must be. Default: anything. */
  readonly filters?: {
    /** One of Docker's own images, or none. */
    readonly official?: boolean;
    /** At least so many stars. */
    readonly minStars?: number;
  };
}

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;

/**
 * Searches Docker Hub by its search service, any other registry by the names of its repositories (there are no stars
 * and descriptions).
 *
 * @throws EngineError `INVALID_OPTION`, `REGISTRY_UNSUPPORTED`, and what registries throw.
 */
export async function searchImages(
  registry: RegistryClient,
  text: string,
  options: SearchOptions,
): Promise<readonly RegistrySearchResult[]> {
  const { registry: ofTerm, rest: term } = splitRegistryPart(text);
  const { limit = DEFAULT_LIMIT, filters = {}, signal } = options;
  const host = options.registry === undefined ? (ofTerm ?? 'docker.io') : parseRegistry(options.registry);
  const refuse = (option: string, expected: string, got: unknown): never => {
    throw new EngineError('INVALID_OPTION', { option, expected, got: String(got).slice(0, 200) });
  };
  if (term === '' || term.length > 255) refuse('term', '1 to 255 characters', term);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) refuse('limit', `1 to ${MAX_LIMIT}`, limit);
  const { official, minStars = 0 } = filters;
  if (!Number.isInteger(minStars) || minStars < 0) refuse('filters.minStars', 'a whole number', minStars);
  const found = await registry.search(host, term, { limit, signal });
  return found.filter((each) => each.stars >= minStars && (official === undefined || each.official === official));
}
