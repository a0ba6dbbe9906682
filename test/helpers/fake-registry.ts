import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A request as the server has seen it. */
export interface SeenRequest {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers one request. */
export type Step = (request: SeenRequest, response: ServerResponse) => void;

/** A registry that does what a test tells it, on a port of its own of the loopback interface. */
export interface FakeRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`: the registry part of references. */
  readonly host: string;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly seen: readonly SeenRequest[];
  /** Answers requests for `path` (without query) with `steps` in turn; the last one goes on for ever. */
  script(path: string, ...steps: readonly [Step, ...Step[]]): void;
  close(): Promise<void>;
}

/** Starts a server that answers 404 to everything that has no script. */
export async function startFakeRegistry(): Promise<FakeRegistry> {
  const scripts = new Map<string, Step[]>();
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const record = { method, path: url, headers, body: Buffer.concat(chunks).toString() };
      seen.push(record);
      const steps = scripts.get(url.split('?', 1)[0] ?? '') ?? [];
      const step = steps.length > 1 ? steps.shift() : steps[0];
      (step ?? notFound)(record, response);
    });
  });
  server.keepAliveTimeout = 0; // idle connections stay: tests count descriptors, and would see them go after a while
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    host,
    origin: `http://${host}`,
    seen,
    script: (path, ...steps) => {
      scripts.set(path, [...steps]);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** An answer with a body. */
export function reply(status: number, headers: Record<string, string> = {}, body: string | Uint8Array = ''): Step {
  return (_request, response) => {
    response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers });
    response.end(body);
  };
}

/** An error in the form of the distribution specification. */
export function replyError(status: number, code: string, message: string, headers: Record<string, string> = {}): Step {
  return reply(
    status,
    { 'content-type': 'application/json', ...headers },
    JSON.stringify({ errors: [{ code, message }] }),
  );
}

/** A blob that honours ranges. */
export function replyBlob(bytes: Uint8Array): Step {
  return (request, response) => {
    const from = rangeStart(request);
    const part = bytes.subarray(from ?? 0);
    response.writeHead(from === undefined ? 200 : 206, {
      'content-length': String(part.byteLength),
      ...(from !== undefined && { 'content-range': `bytes ${from}-${bytes.byteLength - 1}/${bytes.byteLength}` }),
    });
    response.end(part);
  };
}

/** A blob whose connection is cut after `count` bytes of the body. Honours ranges. */
export function cutAfter(bytes: Uint8Array, count: number, framing: 'length' | 'chunked' | 'close' = 'length'): Step {
  return (request, response) => {
    const from = rangeStart(request);
    const part = bytes.subarray(from ?? 0);
    if (framing === 'close') response.shouldKeepAlive = false;
    if (framing === 'close') response.useChunkedEncodingByDefault = false;
    response.writeHead(from === undefined ? 200 : 206, {
      ...(framing === 'length' && { 'content-length': String(part.byteLength) }),
      ...(from !== undefined && { 'content-range': `bytes ${from}-${bytes.byteLength - 1}/${bytes.byteLength}` }),
    });
    response.write(part.subarray(0, count), () => {
      if (framing === 'close') response.socket?.end();
      else response.socket?.destroy();
    });
  };
}

/** Headers and `bytes`, then silence. */
export function stallAfter(bytes: Uint8Array): Step {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': String(bytes.byteLength + 1) });
    response.write(bytes);
  };
}

/** Closes the connection without an answer. */
export const hangUp: Step = (_request, response) => {
  response.socket?.destroy();
};

const notFound = replyError(404, 'NAME_UNKNOWN', 'not scripted');

function rangeStart({ headers }: SeenRequest): number | undefined {
  const match = /^bytes=(\d+)-$/.exec(headers.range ?? '');
  return match === null ? undefined : Number(match[1]);
}
