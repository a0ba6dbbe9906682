import { Agent as HttpAgent } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { createSecureContext, type SecureContext } from 'node:tls';
import fetch, { type RequestInit, type Response } from 'node-fetch';
import { errnoOf } from '../../util/errno.js';
import type { HttpClient, HttpRequest, HttpResponse } from '../http-client.js';

export interface NodeFetchOptions {
  /** Certificate authorities to trust besides those of Node, PEM. Default: none. */
  readonly ca?: readonly string[];
  /** Certificate and key (PEM) to show to `host` (`registry.test:5000`), and to nobody else. Default: none. */
  readonly identity?: { readonly host: string; readonly cert: string; readonly key: string } | undefined;
  /** Value of the User-Agent header. Default `'tscontainer'`. */
  readonly userAgent?: string;
}

/** Answers up to this size are read to their end when discarded, so that their connection can be used again. */
const drainedBytes = 64 * 1024;
const drainMs = 1000;

/** {@link HttpClient} on node-fetch. Idle connections do not keep the process alive. */
export class NodeFetchHttpClient implements HttpClient {
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;
  /** For the host that knows this client by a certificate. */
  readonly #identified: { readonly host: string; readonly agent: HttpsAgent } | undefined;
  readonly #userAgent: string;

  constructor(options: NodeFetchOptions = {}) {
    const agent: AgentOptions = { keepAlive: true, maxFreeSockets: 8, scheduling: 'lifo' };
    this.#http = new HttpAgent(agent);
    const { ca, identity } = options;
    this.#https = new HttpsAgent({ ...agent, ...(ca !== undefined && { secureContext: trusting(ca) }) });
    this.#identified =
      identity === undefined
        ? undefined
        : { host: identity.host, agent: new HttpsAgent({ ...agent, secureContext: trusting(ca ?? [], identity) }) };
    this.#userAgent = options.userAgent ?? 'tscontainer';
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    request.signal?.throwIfAborted();
    const exchange = new Exchange(request.signal);
    try {
      return toHttpResponse(request, await fetch(request.url, this.#init(request, exchange)), exchange);
    } catch (error) {
      exchange.end();
      throw exchange.reasonFor(error, request.url);
    }
  }

  close(): void {
    for (const agent of [this.#http, this.#https, this.#identified?.agent]) {
      if (agent === undefined) continue;
      const idle: NodeJS.ReadOnlyDict<readonly Socket[]> = agent.freeSockets;
      for (const socket of Object.values(idle).flatMap((sockets) => sockets ?? [])) socket.destroy();
    }
  }

  #agentFor({ protocol, host }: URL): HttpAgent {
    if (protocol !== 'https:') return this.#http;
    return this.#identified?.host === host ? this.#identified.agent : this.#https;
  }

  #init(request: HttpRequest, exchange: Exchange): RequestInit {
    return {
      method: request.method,
      headers: { 'user-agent': this.#userAgent, 'accept-encoding': 'identity', ...request.headers },
      redirect: 'manual',
      compress: false,
      agent: this.#agentFor(request.url),
      // node-fetch types its own AbortSignal, which Node's fulfils.
      signal: exchange.signal as NonNullable<RequestInit['signal']>,
      ...(request.body !== undefined && { body: toBody(request.body) }),
    };
  }
}

/**
 * Node's authorities and more. The option `ca` would replace Node's; to give all of them anew would take the event loop
 * 50 ms, where adding takes one.
 */
function trusting(
  ca: readonly string[],
  identity: { readonly cert?: string; readonly key?: string } = {},
): SecureContext {
  const { cert, key } = identity;
  const context = createSecureContext({ ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) });
  for (const each of ca) context.context.addCACert(each);
  return context;
}

/** The abort of one exchange. The caller's signal is let go of at the end, because it may live much longer. */
class Exchange {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#controller.abort();

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer;
    outer?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    this.#outer?.removeEventListener('abort', this.#onAbort);
  }

  cut(): void {
    this.end();
    this.#controller.abort();
  }

  /** node-fetch replaces the reason of an abort by its own error, and puts the whole URL into its messages. */
  reasonFor(error: unknown, url: URL): unknown {
    if (this.#outer?.aborted === true) return this.#outer.reason;
    return toNetworkError(error, url);
  }
}

function toBody(body: Uint8Array | AsyncIterable<Uint8Array>): Buffer | Readable {
  return body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : Readable.from(body);
}

function toHttpResponse(request: HttpRequest, response: Response, exchange: Exchange): HttpResponse {
  const headers = new Map<string, string>();
  for (const [name, value] of response.headers) headers.set(name.toLowerCase(), value);
  const body = readBody(request, response, headers, exchange);
  let begun = false;
  return {
    status: response.status,
    headers,
    body: {
      [Symbol.asyncIterator]: () => {
        begun = true;
        return body;
      },
    },
    discard: () => {
      if (begun) exchange.cut();
      else void drain(body, exchange);
    },
  };
}

async function* readBody(
  request: HttpRequest,
  response: Response,
  headers: ReadonlyMap<string, string>,
  exchange: Exchange,
): AsyncGenerator<Uint8Array, void, void> {
  let seen = 0;
  try {
    if (response.body === null) return;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      request.signal?.throwIfAborted(); // node-fetch stops listening when the last byte has come, read or not
      seen += chunk.byteLength;
      yield chunk;
    }
    const announced = headers.get('content-length');
    if (announced !== undefined && request.method !== 'HEAD' && seen < Number(announced)) {
      throw Object.assign(new Error(`${seen} of ${announced} bytes came`), { code: 'ECONNRESET' });
    }
  } catch (error) {
    throw exchange.reasonFor(error, request.url);
  } finally {
    exchange.end();
  }
}

async function drain(body: AsyncGenerator<Uint8Array>, exchange: Exchange): Promise<void> {
  const timer = setTimeout(() => exchange.cut(), drainMs);
  timer.unref();
  let seen = 0;
  try {
    for await (const chunk of body) {
      seen += chunk.byteLength;
      if (seen > drainedBytes) break;
    }
  } catch {
    // Nobody wants these bytes: a failure only means that the connection cannot be used again.
  } finally {
    clearTimeout(timer);
    exchange.cut();
  }
}

function toNetworkError(error: unknown, url: URL): Error {
  const code = errnoOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const detail =
    (/reason: (.*)$/s.exec(message)?.[1] ?? message).replaceAll(url.href, url.origin) || (code ?? 'failed');
  const clean = new Error(`${url.host}: ${detail}`);
  return code === undefined ? clean : Object.assign(clean, { code });
}
