import type { IncomingMessage } from 'node:http';
import { RegistryFailure } from './registry-failure.js';

/** The whole body of a request. @throws RegistryFailure `SIZE_INVALID` (413) before more than `maxBytes` are kept. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = new RegistryFailure(413, 'SIZE_INVALID', `the body is larger than ${maxBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
