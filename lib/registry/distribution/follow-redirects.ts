import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import type { HttpClient, HttpRequest, HttpResponse } from '../http-client.js';
import { type Guard, sendGuarded } from './send-guarded.js';

/** A request whose body can be opened again. */
export interface SentRequest extends Omit<HttpRequest, 'body' | 'signal'> {
  readonly body?: (() => Uint8Array | AsyncIterable<Uint8Array>) | undefined;
}

/** An answer, and whether it comes from where the request was sent to: only then its challenges count. */
export interface Answer {
  readonly response: HttpResponse;
  readonly sameOrigin: boolean;
  /** Where the answer came from. */
  readonly url: URL;
}

/**
 * Sends a request and follows redirects. The Authorization header goes only to the scheme, host and port that the
 * request was made for, and not again after the first redirect to another one. What changes something is sent on by
 * 307 and 308 only, which keep the method.
 *
 * @throws EngineError `REGISTRY_PROTOCOL` for a redirect from HTTPS to HTTP, to plain HTTP at a host that must be
 * encrypted, to another scheme, without a target, or one too many.
 */
export async function followRedirects(http: HttpClient, request: SentRequest, guard: Guard): Promise<Answer> {
  let current = request;
  let sameOrigin = true;
  for (let hops = 0; ; hops += 1) {
    const { body, ...head } = current;
    const response = await sendGuarded(http, body === undefined ? head : { ...head, body: body() }, guard);
    if (!isRedirect(response.status)) return { response, sameOrigin, url: current.url };
    response.discard();
    if (hops === limits.redirects) throw broken(guard, `more than ${limits.redirects} redirects`);
    if (!mayFollow(request.method, response.status)) {
      throw broken(guard, `a redirect of ${request.method} by ${response.status}`);
    }
    const url = target(response, current.url, guard);
    sameOrigin &&= url.origin === request.url.origin;
    current = { ...current, url, headers: sameOrigin ? current.headers : withoutCredentials(current.headers) };
  }
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

function mayFollow(method: HttpRequest['method'], status: number): boolean {
  return method === 'GET' || method === 'HEAD' || status >= 307;
}

function target(response: HttpResponse, from: URL, guard: Guard): URL {
  const location = response.headers.get('location');
  if (location === undefined || !URL.canParse(location, from.href))
    throw broken(guard, 'a redirect without a valid target');
  const url = new URL(location, from);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw broken(guard, `a redirect to ${url.protocol}`);
  if (url.protocol === 'http:' && from.protocol === 'https:') {
    throw broken(guard, `a redirect from https to plain http at ${url.host}`);
  }
  if (url.username !== '' || url.password !== '') throw broken(guard, 'a redirect with credentials in its target');
  if (url.protocol === 'http:' && !guard.mayUsePlainHttp(url)) {
    throw broken(guard, `a redirect to plain http at ${url.host}`);
  }
  url.hash = '';
  return url;
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'authorization'));
}

function broken(guard: Guard, reason: string): EngineError {
  return new EngineError('REGISTRY_PROTOCOL', { registry: guard.registry, reason });
}
