import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../../core/digest.js';
import { parseByteRange } from './byte-range.js';
import { type Exchange, type RegistryContext, send } from './exchange.js';
import { RegistryFailure } from './registry-failure.js';

/** GET and HEAD of a blob, or of a part of it. */
export async function getBlob(
  { storage }: RegistryContext,
  exchange: Exchange,
  repository: string,
  digest: Digest,
): Promise<void> {
  const found = await storage.statBlob(repository, digest);
  if (found === undefined) throw new RegistryFailure(404, 'BLOB_UNKNOWN', 'the repository does not have this blob');
  const { request, response, method, signal } = exchange;
  const { size } = found;
  const range = parseByteRange(request.headers.range, size);
  if (range === 'unsatisfiable') {
    const headers = { 'content-range': `bytes */${size}` };
    throw new RegistryFailure(416, 'SIZE_INVALID', `the blob has ${size} bytes`, headers);
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  response.writeHead(range === undefined ? 200 : 206, {
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'content-length': end - start + 1,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
    // A digest never means other bytes.
    'cache-control': 'max-age=31536000, immutable',
    ...(range !== undefined && { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  if (method === 'HEAD') {
    response.end();
    return;
  }
  const bytes = storage.readBlob(digest, { offset: start, length: end - start + 1, signal });
  await pipeline(Readable.from(bytes, { objectMode: false }), response);
}

/** DELETE of a blob. */
export async function deleteBlob(
  { storage }: RegistryContext,
  exchange: Exchange,
  repository: string,
  digest: Digest,
): Promise<void> {
  if (!(await storage.deleteBlob(repository, digest))) {
    throw new RegistryFailure(404, 'BLOB_UNKNOWN', 'the repository does not have this blob');
  }
  send(exchange, 202);
}
