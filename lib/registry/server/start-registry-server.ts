import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { RegistryAuth } from '../registry-access.js';
import type { RegistryServer } from '../registry-server.js';
import type { RegistryStorage } from '../registry-storage.js';
import { type AccessControl, BasicAccess, openAccess, TokenAccess, UserDirectory } from './access-control.js';
import { handleRequest, type RequestHandlerOptions } from './handle-request.js';
import type { TokenEndpoint } from './token-endpoint.js';
import { TokenSigner } from './token-signer.js';
import { UploadSessions } from './upload-sessions.js';

export interface RegistryServerOptions {
  readonly storage: RegistryStorage;
  readonly host: string;
  /** 0 for one that is free. */
  readonly port: number;
  readonly auth: RegistryAuth | undefined;
  readonly readonly: boolean;
  /** PEM. */
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string | undefined } | undefined;
  readonly unref: boolean;
  readonly uploadExpiryMs: number;
  /** Told of what clients see as an internal error. */
  readonly onError: (error: unknown) => void;
  readonly now: () => number;
  /** Gives back what the storage holds, after the last request. */
  readonly release: () => Promise<void>;
}

/** A connection on which nothing moves for so long is cut, in either direction. */
const silenceMs = 2 * 60 * 1000;
const headersMs = 30 * 1000;
const maxUploads = 256;
const maxConnections = 2048;
const expiryIntervalMs = 5 * 60 * 1000;
const garbageIntervalMs = 6 * 60 * 60 * 1000;

/** Listens. @throws the system's error when the address is taken. */
export async function startRegistryServer(options: RegistryServerOptions): Promise<RegistryServer> {
  const { storage, now } = options;
  const uploads = new UploadSessions({
    begin: () => storage.beginBlob(),
    expiryMs: options.uploadExpiryMs,
    most: maxUploads,
    now,
  });
  const running = new RunningRequests();
  const handler: RequestHandlerOptions = { ...options, uploads, ...accessFor(options), originOf: originOf(options) };
  const server = makeServer(options, (request, response) => {
    running.add(response, options.onError, (signal) => handleRequest(handler, request, response, signal));
  });
  await listen(server, options);
  const collectGarbage = (): Promise<void> => running.track(storage.collectGarbage());
  const inBackground = (work: () => Promise<void>): void => void work().catch(options.onError);
  const timers = [
    setInterval(() => inBackground(() => uploads.expire()), expiryIntervalMs).unref(),
    setInterval(() => inBackground(collectGarbage), garbageIntervalMs).unref(),
  ];
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      for (const timer of timers) clearInterval(timer);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      running.abort();
      server.closeAllConnections();
      await running.ended();
      await closed;
      await uploads.close();
      await options.release();
    })();
    return closing;
  };
  const { port } = server.address() as AddressInfo;
  const host = `${nameOf(options.host)}:${port}`;
  const url = new URL(`${options.tls === undefined ? 'http' : 'https'}://${host}/`);
  return { host, port, url, collectGarbage, close, [Symbol.asyncDispose]: close };
}

/** Requests that have not ended, so that closing can wait for them. */
class RunningRequests {
  readonly #running = new Set<Promise<void>>();
  readonly #aborts = new Set<() => void>();

  add(response: ServerResponse, onError: (error: unknown) => void, work: (signal: AbortSignal) => Promise<void>): void {
    const gone = new AbortController();
    const abort = (): void => gone.abort(new Error('the connection has ended'));
    response.once('close', abort);
    this.#aborts.add(abort);
    void this.track(work(gone.signal))
      .catch(onError)
      .finally(() => this.#aborts.delete(abort));
  }

  async track(work: Promise<void>): Promise<void> {
    this.#running.add(work);
    try {
      await work;
    } finally {
      this.#running.delete(work);
    }
  }

  abort(): void {
    for (const abort of this.#aborts) abort();
  }

  async ended(): Promise<void> {
    await Promise.allSettled([...this.#running]);
  }
}

function makeServer(
  options: RegistryServerOptions,
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const { tls } = options;
  // A large upload takes as long as it takes, if something moves.
  const limits = { requestTimeout: 0, headersTimeout: headersMs, keepAliveTimeout: 10_000 };
  const server =
    tls === undefined
      ? createServer(limits, listener)
      : createTlsServer(
          {
            ...limits,
            cert: tls.cert,
            key: tls.key,
            ...(tls.clientCa !== undefined && { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
          },
          listener,
        );
  server.maxConnections = maxConnections;
  server.setTimeout(silenceMs);
  if (options.unref) server.unref();
  return server;
}

function listen(server: Server, { host, port }: RegistryServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function accessFor({ auth, now }: RegistryServerOptions): {
  readonly access: AccessControl;
  readonly tokens: TokenEndpoint | undefined;
} {
  if (auth === undefined) return { access: openAccess, tokens: undefined };
  const users = new UserDirectory(auth);
  if (auth.kind === 'basic') return { access: new BasicAccess(users), tokens: undefined };
  const signer = new TokenSigner(now);
  return { access: new TokenAccess(users, signer), tokens: { users, signer, now } };
}

/** The name by which the client knows this server: the only one that it can surely reach. */
function originOf({ tls }: RegistryServerOptions): (request: IncomingMessage) => string {
  const scheme = tls === undefined ? 'http' : 'https';
  return ({ headers, socket }) => {
    const { host = '' } = headers;
    const isHost = /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(host);
    return `${scheme}://${isHost ? host : `${nameOf(socket.localAddress ?? '')}:${socket.localPort}`}`;
  };
}

/** An address as it stands in a URL; that of all interfaces is no place to go to. */
function nameOf(address: string): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return isIPv6(address) ? `[${address}]` : address;
}
