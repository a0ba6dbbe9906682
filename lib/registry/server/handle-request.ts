import type { IncomingMessage, ServerResponse } from 'node:http';
import { EngineError } from '../../core/errors/engine-error.js';
import type { RegistryAction } from '../registry-access.js';
import type { AccessControl, WantedAccess } from './access-control.js';
import { deleteBlob, getBlob } from './blob-handlers.js';
import { type Exchange, type RegistryContext, send, sendJson } from './exchange.js';
import { listReferrers, listRepositories, listTags } from './list-handlers.js';
import { deleteManifest, getManifest, putManifest } from './manifest-handlers.js';
import { RegistryFailure } from './registry-failure.js';
import { parseRoute, type Route } from './route.js';
import { giveToken, type TokenEndpoint } from './token-endpoint.js';
import { cancelUpload, continueUpload, finishUpload, showUpload, startUpload } from './upload-handlers.js';

export interface RequestHandlerOptions extends RegistryContext {
  readonly access: AccessControl;
  /** Undefined where there are no tokens. */
  readonly tokens: TokenEndpoint | undefined;
  /** Told of what clients see as an internal error. */
  readonly onError: (error: unknown) => void;
  /** `http://127.0.0.1:5000` for a request: how its client has called this server. */
  readonly originOf: (request: IncomingMessage) => string;
}

/** Answers one request, whatever it is. Never rejects. */
export async function handleRequest(
  options: RequestHandlerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  response.setHeader('docker-distribution-api-version', 'registry/2.0');
  response.setHeader('x-content-type-options', 'nosniff');
  const { method = 'GET', url = '/' } = request;
  const [path = '/', query = ''] = url.split(/\?(.*)/s, 2);
  const exchange: Exchange = {
    method,
    query: new URLSearchParams(query),
    request,
    response,
    signal,
    mayRead: () => Promise.resolve(false),
    maySee: () => Promise.resolve(false),
  };
  try {
    const route = parseRoute(path);
    if (route.kind === 'token' && options.tokens !== undefined) return await giveToken(options.tokens, exchange);
    const wanted = wantedBy(route, method);
    const client = await options.access.admit(request, wanted, options.originOf(request));
    const mayRead = (repository: string): Promise<boolean> => client.may({ repository, action: 'pull' });
    await dispatch(options, { ...exchange, mayRead, maySee: client.maySee }, route);
  } catch (error) {
    const failure = asFailure(error);
    // The end of a connection is the client's business.
    if (failure.status === 500 && !signal.aborted) options.onError(error);
    fail(exchange, failure);
  }
}

function wantedBy(route: Route, method: string): WantedAccess | undefined {
  if (route.kind === 'base' || route.kind === 'token') return undefined;
  if (route.kind === 'catalog') return { repository: undefined, action: 'pull' };
  return { repository: route.repository, action: actionOf(route, method) };
}

function actionOf(route: Route, method: string): RegistryAction {
  if (route.kind === 'uploads' || route.kind === 'upload') return 'push';
  if (method === 'DELETE') return 'delete';
  return method === 'GET' || method === 'HEAD' ? 'pull' : 'push';
}

async function dispatch(context: RegistryContext, exchange: Exchange, route: Route): Promise<void> {
  const { method } = exchange;
  const reads = method === 'GET' || method === 'HEAD';
  if (context.readonly && !reads) throw new RegistryFailure(405, 'UNSUPPORTED', 'this registry is read-only');
  switch (route.kind) {
    case 'base':
      if (reads) return sendJson(exchange, {});
      break;
    case 'catalog':
      if (reads) return listRepositories(context, exchange);
      break;
    case 'tags':
      if (reads) return listTags(context, exchange, route.repository);
      break;
    case 'referrers':
      if (reads) return listReferrers(context, exchange, route.repository, route.digest);
      break;
    case 'manifest':
      if (reads) return getManifest(context, exchange, route.repository, route.reference);
      if (method === 'PUT') return putManifest(context, exchange, route.repository, route.reference);
      if (method === 'DELETE') return deleteManifest(context, exchange, route.repository, route.reference);
      break;
    case 'blob':
      if (reads) return getBlob(context, exchange, route.repository, route.digest);
      if (method === 'DELETE') return deleteBlob(context, exchange, route.repository, route.digest);
      break;
    case 'uploads':
      if (method === 'POST') return startUpload(context, exchange, route.repository);
      break;
    case 'upload':
      if (reads) return showUpload(context, exchange, route.repository, route.id);
      if (method === 'PATCH') return continueUpload(context, exchange, route.repository, route.id);
      if (method === 'PUT') return finishUpload(context, exchange, route.repository, route.id);
      if (method === 'DELETE') return cancelUpload(context, exchange, route.repository, route.id);
      break;
    case 'token':
      throw new RegistryFailure(404, 'UNSUPPORTED', 'there are no tokens here');
  }
  throw new RegistryFailure(405, 'UNSUPPORTED', `${method.slice(0, 20)} is not for this path`);
}

/** An answer that has begun cannot be taken back: its connection is cut, so that nobody takes it for complete. */
function fail(exchange: Exchange, { status, code, message, headers }: RegistryFailure): void {
  const { request, response } = exchange;
  if (response.headersSent || response.destroyed || request.destroyed) {
    response.destroy();
    return;
  }
  // What is left of the body is not waited for.
  const closing = request.complete ? {} : { connection: 'close' };
  if (exchange.method === 'HEAD') send(exchange, status, { ...headers, ...closing });
  else sendJson(exchange, { errors: [{ code, message }] }, { ...headers, ...closing }, status);
}

function asFailure(error: unknown): RegistryFailure {
  if (error instanceof RegistryFailure) return error;
  if (EngineError.is(error, 'INVALID_REFERENCE')) return new RegistryFailure(400, 'NAME_INVALID', error.message);
  // Paths and causes are not for clients.
  if (EngineError.is(error, 'NO_SPACE')) return new RegistryFailure(507, 'UNKNOWN', 'there is no space left');
  if (EngineError.is(error, 'CLOSED')) return new RegistryFailure(503, 'UNKNOWN', 'the registry is closing');
  if (EngineError.is(error) && error.kind === 'conflict') return new RegistryFailure(409, 'DENIED', error.message);
  return new RegistryFailure(500, 'UNKNOWN', 'internal error');
}
