import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request to `host` (`127.0.0.1:PORT`), its path sent as it is: a client would tidy it up. */
export function rawRequest(
  host: string,
  method: string,
  path: string,
  headers: OutgoingHttpHeaders = {},
  body: string | Uint8Array = '',
): Promise<RawAnswer> {
  const [hostname = '', port = ''] = host.split(':');
  return new Promise((resolve, reject) => {
    const length = 'transfer-encoding' in headers ? {} : { 'content-length': Buffer.byteLength(body) };
    const sent = request(
      { hostname, port, method, path, agent: false, headers: { ...length, ...headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
        );
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Uploads bytes as a blob and gives the answer. */
export function uploadBlob(
  host: string,
  repository: string,
  digest: string,
  bytes: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<RawAnswer> {
  return rawRequest(host, 'POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, headers, bytes);
}
