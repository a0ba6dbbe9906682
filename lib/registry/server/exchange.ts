import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RegistryStorage } from '../registry-storage.js';
import type { UploadSessions } from './upload-sessions.js';

/** What handlers work with. */
export interface RegistryContext {
  readonly storage: RegistryStorage;
  readonly uploads: UploadSessions;
  readonly readonly: boolean;
}

/** One request and its answer. */
export interface Exchange {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborts when the client has gone, or the server closes. */
  readonly signal: AbortSignal;
  /** True when this client may read another repository, too. */
  readonly mayRead: (repository: string) => Promise<boolean>;
  /** True when this client may know of a repository. */
  readonly maySee: (repository: string) => Promise<boolean>;
}

/** An answer that has no body, or a small one. */
export function send(
  { response }: Exchange,
  status: number,
  headers: Readonly<Record<string, string | string[]>> = {},
  body: string | Uint8Array = '',
): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}

/** An answer in JSON. */
export function sendJson(
  exchange: Exchange,
  content: object,
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): void {
  send(exchange, status, { 'content-type': 'application/json', ...headers }, JSON.stringify(content));
}
