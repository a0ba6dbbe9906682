import { bool, integer, listOf, optional, record, text } from '../../core/decode.js';
import type { RegistrySearchOptions, RegistrySearchResult } from '../registry-client.js';
import { listRepositories } from './list-names.js';
import { listPages } from './list-pages.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import type { RegistrySession } from './registry-session.js';

const hubAnswer = record({
  results: optional(
    listOf(
      record({
        name: text,
        description: optional(text),
        star_count: optional(integer),
        is_official: optional(bool),
      }),
    ),
  ),
});

/** Docker Hub's own search. @see Docker Registry HTTP API V1, "Search" */
export async function searchHub(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  searchUrl: URL,
  term: string,
  options: RegistrySearchOptions,
): Promise<readonly RegistrySearchResult[]> {
  const path = new URL(searchUrl);
  path.searchParams.set('q', term);
  path.searchParams.set('n', String(options.limit));
  const { signal, onNotice } = options;
  for await (const { content } of listPages(
    session,
    { signal, onNotice, endpoint, path, scopes: [] },
    'results',
    hubAnswer,
  )) {
    return (content.results ?? []).slice(0, options.limit).map((each) => ({
      name: each.name.slice(0, 255),
      description: (each.description ?? '').slice(0, 1000),
      stars: each.star_count ?? 0,
      official: each.is_official ?? false,
    }));
  }
  return [];
}

/** The repositories of a registry whose names contain `term`. */
export async function searchCatalog(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  term: string,
  options: RegistrySearchOptions,
): Promise<readonly RegistrySearchResult[]> {
  const wanted = term.toLowerCase();
  const found: RegistrySearchResult[] = [];
  const { signal, onNotice } = options;
  for await (const name of listRepositories(session, endpoint, { signal, onNotice })) {
    if (!name.includes(wanted)) continue;
    found.push({ name: `${endpoint.registry}/${name}`, description: '', stars: 0, official: false });
    if (found.length >= options.limit) break;
  }
  return found;
}
