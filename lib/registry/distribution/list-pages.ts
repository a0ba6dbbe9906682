import { assertFewValues } from '../../core/assert-few-values.js';
import { type Decoder, decodeJson } from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import { parseNextLink } from './parse-next-link.js';
import { readBounded } from './read-bounded.js';
import type { RegistrySession, SessionRequest, SessionResponse } from './registry-session.js';

export interface Page<T> {
  readonly content: T;
  readonly headers: ReadonlyMap<string, string>;
}

/**
 * The pages of a list, each decoded. The next one is where a `Link` header says; without one, where `guessNext` finds it
 * (registries of before that header), or nowhere.
 *
 * @param what names the list in errors.
 * @throws EngineError `REGISTRY_PROTOCOL` for what is no such list, for one that leads to another host, and for one
 * without end.
 */
export async function* listPages<T>(
  session: RegistrySession,
  first: SessionRequest,
  what: string,
  decoder: Decoder<T>,
  guessNext: (content: T) => string | undefined = () => undefined,
): AsyncGenerator<Page<T>, void, void> {
  const { registry } = first.endpoint;
  const broken = (reason: string): EngineError => new EngineError('REGISTRY_PROTOCOL', { registry, reason });
  const seen = new Set<string>();
  let path: string | URL | undefined = first.path;
  while (path !== undefined) {
    const key = String(path);
    if (seen.has(key) || seen.size >= limits.listPages) throw broken(`${what} have no end`);
    seen.add(key);
    const fetched: FetchedPage<T> = await fetchPage(session, { ...first, path }, what, decoder);
    yield fetched.page;
    const isElsewhere = fetched.next !== undefined && fetched.next.origin !== first.endpoint.url.origin;
    if (isElsewhere) throw broken(`${what} go on at another host`);
    path = fetched.next ?? guessNext(fetched.page.content);
  }
}

interface FetchedPage<T> {
  readonly page: Page<T>;
  readonly next: URL | undefined;
}

async function fetchPage<T>(
  session: RegistrySession,
  request: SessionRequest,
  what: string,
  decoder: Decoder<T>,
): Promise<FetchedPage<T>> {
  return session.attempt(request, async (response) => {
    if (response.status !== 200) return undefined;
    const content = await decodePage(response, request.endpoint.registry, what, decoder);
    const next = parseNextLink(response.headers.get('link'), response.url);
    return { page: { content, headers: response.headers }, next };
  });
}

async function decodePage<T>(
  response: SessionResponse,
  registry: string,
  what: string,
  decoder: Decoder<T>,
): Promise<T> {
  const bytes = await readBounded(response.body, limits.listBytes, `a page of ${what}`);
  try {
    assertFewValues(bytes, what);
    return decodeJson(Buffer.from(bytes).toString('utf8'), decoder, what);
  } catch (cause) {
    if (!EngineError.is(cause, 'CORRUPT_RECORD') && !EngineError.is(cause, 'INVALID_MANIFEST')) throw cause;
    throw new EngineError('REGISTRY_PROTOCOL', { registry, reason: cause.message.slice(0, 300) }, { cause });
  }
}
