import { EngineError } from '../../core/errors/engine-error.js';

/** The whole body. @throws EngineError `TOO_LARGE` naming `what`, before more than `maxBytes` are kept. */
export async function readBounded(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  what: string,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new EngineError('TOO_LARGE', { what, maxBytes });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** The first `maxBytes` of a body; the rest is not read. */
export async function readPrefix(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size >= maxBytes) break;
  }
  return Buffer.concat(chunks, size).subarray(0, maxBytes);
}
