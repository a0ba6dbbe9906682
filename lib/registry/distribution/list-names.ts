import { type Decoder, listOf, optional, record, text } from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { formatFamiliarReference, isRepositoryName, isTag, type Reference } from '../../core/reference.js';
import type { RegistryRequestOptions } from '../registry-client.js';
import { listPages } from './list-pages.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import type { RegistrySession, SessionRequest } from './registry-session.js';
import { catalogScope, repositoryScope } from './scopes.js';

const pageSize = 1000;

/** @see OCI distribution-spec, "Listing Tags" */
export async function* listTags(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  { registry, repository }: Reference,
  options: RegistryRequestOptions,
): AsyncGenerator<string, void, void> {
  const request = {
    ...options,
    endpoint,
    path: `${repository}/tags/list?n=${pageSize}`,
    scopes: [repositoryScope(repository, 'pull')],
    notFound: formatFamiliarReference({ registry, repository }),
  };
  yield* listNames(session, request, 'tags', record({ tags: optional(listOf(text)) }), isTag);
}

/** @see Docker Registry HTTP API V2, "Listing Repositories" */
export async function* listRepositories(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  options: RegistryRequestOptions,
): AsyncGenerator<string, void, void> {
  const request = { ...options, endpoint, path: `_catalog?n=${pageSize}`, scopes: [catalogScope] };
  const decoder = record({ repositories: optional(listOf(text)) });
  try {
    yield* listNames(session, request, 'repositories', decoder, isRepositoryName);
  } catch (error) {
    if (!EngineError.is(error, 'REGISTRY_FAILED') || ![404, 405].includes(error.data.status)) throw error;
    const { registry, reason } = error.data;
    throw new EngineError('REGISTRY_UNSUPPORTED', { registry, operation: 'listing its repositories', reason });
  }
}

async function* listNames(
  session: RegistrySession,
  request: SessionRequest,
  field: 'tags' | 'repositories',
  decoder: Decoder<{ readonly [Field in 'tags' | 'repositories']?: readonly string[] }>,
  isName: (text: string) => boolean,
): AsyncGenerator<string, void, void> {
  const { registry } = request.endpoint;
  let previous: string | undefined;
  // A registry without `Link` headers goes on behind the last name, unless it ignores what it is asked for.
  const guessNext = (content: { readonly [Field in 'tags' | 'repositories']?: readonly string[] }) => {
    const names = content[field] ?? [];
    const last = names.at(-1);
    if (names.length < pageSize || last === undefined || (previous !== undefined && names.includes(previous))) return;
    previous = last;
    return `${String(request.path)}&last=${encodeURIComponent(last)}`;
  };
  for await (const { content } of listPages(session, request, field, decoder, guessNext)) {
    const names = content[field] ?? [];
    const strange = names.find((name) => !isName(name));
    if (strange !== undefined) {
      const reason = `${JSON.stringify(strange.slice(0, 100))} is among its ${field}`;
      throw new EngineError('REGISTRY_PROTOCOL', { registry, reason });
    }
    if (previous !== undefined && names.includes(previous)) return;
    yield* names;
  }
}
