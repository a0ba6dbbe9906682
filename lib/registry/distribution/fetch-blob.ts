import type { Descriptor } from '../../core/descriptor.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { formatFamiliarReference, type Reference } from '../../core/reference.js';
import type { HttpResponse } from '../http-client.js';
import type { FetchedBlob, RegistryRequestOptions } from '../registry-client.js';
import { type ContentRange, parseContentRange } from './parse-content-range.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import type { RegistrySession } from './registry-session.js';
import { pullPath, repositoryAt } from './repository-path.js';
import { repositoryScope } from './scopes.js';

/**
 * Opens a blob at `offset`. A server that does not know ranges, or gives another one than was asked for, is asked for
 * the whole blob.
 *
 * @see OCI distribution-spec, "Pulling blobs"; RFC 9110, section 14
 */
export async function fetchBlob(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  reference: Reference,
  descriptor: Descriptor,
  offset: number,
  options: RegistryRequestOptions,
): Promise<FetchedBlob> {
  const { repository } = reference;
  const path = pullPath(endpoint, repository, `blobs/${descriptor.digest}`);
  const scopes = [repositoryScope(repositoryAt(endpoint, repository), 'pull')];
  const notFound = `${formatFamiliarReference(reference)}, blobs/${descriptor.digest}`;
  const open = (headers: Record<string, string>, accept: Accept): Promise<FetchedBlob | 'no range'> =>
    session.attempt({ ...options, endpoint, path, scopes, notFound, headers }, accept);
  if (offset > 0 && offset < descriptor.size) {
    const part = await open({ range: `bytes=${offset}-` }, (response) =>
      acceptPart(reference, descriptor, offset, response),
    );
    if (part !== 'no range') return part;
  }
  const whole = await open({}, (response) => acceptWhole(reference, descriptor, response));
  if (whole !== 'no range') return whole;
  throw new EngineError('REGISTRY_PROTOCOL', { registry: reference.registry, reason: 'a range nobody asked for' });
}

type Accept = (response: HttpResponse) => FetchedBlob | 'no range' | undefined;

function acceptWhole(
  reference: Reference,
  descriptor: Descriptor,
  response: HttpResponse,
): FetchedBlob | 'no range' | undefined {
  if (response.status === 206) return noRange(response);
  if (response.status !== 200) return undefined;
  // Without a length and without chunks, the end of a connection is all that marks the end of the body.
  const framed = response.headers.has('content-length') || response.headers.has('transfer-encoding');
  return { offset: 0, body: framed ? response.body : untilSize(response, descriptor.size, reference.registry) };
}

function acceptPart(
  reference: Reference,
  descriptor: Descriptor,
  offset: number,
  response: HttpResponse,
): FetchedBlob | 'no range' | undefined {
  if (response.status === 416) return noRange(response);
  if (response.status !== 206) return acceptWhole(reference, descriptor, response);
  const range = parseContentRange(response.headers.get('content-range'));
  if (range === undefined || !fits(range, offset, descriptor.size)) return noRange(response);
  return { offset, body: untilSize(response, descriptor.size - offset, reference.registry) };
}

function fits(range: ContentRange, offset: number, size: number): boolean {
  return range.start === offset && range.end < size && (range.size === undefined || range.size === size);
}

function noRange(response: HttpResponse): 'no range' {
  response.discard();
  return 'no range';
}

/** A body that ends before `size` bytes is one that was cut: the rest can be asked for. */
async function* untilSize(
  response: HttpResponse,
  size: number,
  registry: string,
): AsyncGenerator<Uint8Array, void, void> {
  let seen = 0;
  for await (const chunk of response.body) {
    seen += chunk.byteLength;
    yield chunk;
  }
  if (seen >= size) return;
  throw new EngineError('REGISTRY_UNREACHABLE', { registry, reason: `the body ended after ${seen} of ${size} bytes` });
}
