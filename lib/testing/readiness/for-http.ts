import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { ContainerInspection } from '../../container/inspect-container.js';
import { invalidOption } from '../../container/invalid-option.js';
import { EngineError } from '../../core/errors/engine-error.js';
import type { Readiness } from './readiness.js';

/** What {@link forHttp} asks for, and which answer it takes. */
export interface HttpOptions {
  /** Of the container; it need not be published. */
  readonly port: number;
  /** Statuses that are taken. Default: 200 to 299. Redirects are not followed. */
  readonly status?: number | readonly number[] | ((status: number) => boolean);
  /** The body, of which the first 64 KiB are read, must match. Default: any. */
  readonly body?: RegExp | ((body: string) => boolean);
  /** Default `GET`. */
  readonly method?: string;
  /** Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Speaks TLS; `'insecure'` takes every certificate. Default false. */
  readonly tls?: boolean | 'insecure';
  /** An answer that takes longer is given up and asked for again. Default 5000. */
  readonly requestTimeoutMs?: number;
}

const BODY_BYTES = 64 * 1024;

/**
 * Ready when a path answers over HTTP with the wanted status. It is asked from this host: at the container's address, or with
 * `network: 'host'` at 127.0.0.1.
 *
 * @throws EngineError `INVALID_OPTION`; also from `waitFor` for a container without a network.
 */
export function forHttp(path: string, options: HttpOptions): Readiness {
  const { port, requestTimeoutMs = 5000 } = options;
  if (typeof path !== 'string' || !path.startsWith('/')) throw invalidOption('path', 'a path that begins with /', path);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalidOption('port', '1 to 65535', port);
  if (!(requestTimeoutMs > 0)) throw invalidOption('requestTimeoutMs', 'more than 0', requestTimeoutMs);
  const isWanted = statusCheck(options.status);
  const matches = bodyCheck(options.body);
  return {
    description: `HTTP at ${path} of port ${port}`,
    wait: ({ container, signal, poll }) =>
      poll(async () => {
        const inspection = await container.inspect();
        if (inspection.pid === undefined) return `the container is ${inspection.status}`;
        try {
          const { status, body } = await ask(addressOf(inspection), path, options, requestTimeoutMs, signal);
          if (!isWanted(status)) return `status ${status}`;
          return matches(body) || `status ${status} with another body`;
        } catch (error) {
          if (signal.aborted || EngineError.is(error)) throw error;
          return error instanceof Error ? error.message || String(error) : String(error);
        }
      }),
  };
}

function addressOf({ network }: ContainerInspection): string {
  if (network.name === 'host') return '127.0.0.1';
  const [first] = network.addresses;
  if (first === undefined) throw invalidOption('network', 'one that the host reaches, for HTTP', network.name);
  return first.address;
}

/** One exchange on a connection of its own, which is closed with it. */
function ask(
  host: string,
  path: string,
  options: HttpOptions,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly body: string }> {
  const { port, method = 'GET', headers = {}, tls = false } = options;
  const limit = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    const common = { host, port, path, method, headers, agent: false, signal: AbortSignal.any([signal, limit]) };
    const request =
      tls === false ? requestPlain(common) : requestTls({ ...common, rejectUnauthorized: tls !== 'insecure' });
    request.on('error', (error) => reject(limit.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error));
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = (): void => {
        request.destroy();
        const body = Buffer.concat(chunks).subarray(0, BODY_BYTES).toString('utf8');
        resolve({ status: response.statusCode ?? 0, body });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= BODY_BYTES) finish();
      });
      response.on('end', finish);
      response.on('error', reject);
    });
    request.end();
  });
}

function statusCheck(status: HttpOptions['status']): (status: number) => boolean {
  if (typeof status === 'function') return status;
  if (status === undefined) return (got) => got >= 200 && got <= 299;
  const wanted = typeof status === 'number' ? [status] : status;
  return (got) => wanted.includes(got);
}

function bodyCheck(body: HttpOptions['body']): (body: string) => boolean {
  if (body === undefined) return () => true;
  return typeof body === 'function' ? body : (text) => text.search(body) >= 0;
}
