import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { EngineError } from '../core/errors/engine-error.js';

/** Everything that a stream gives until it ends. @throws EngineError `OUTPUT_TOO_LARGE` as soon as it is too much. */
export async function collectOutput(stream: Readable | undefined, name: string, maxBytes: number): Promise<Buffer> {
  if (stream === undefined) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise<Buffer>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        stream.destroy();
        reject(new EngineError('OUTPUT_TOO_LARGE', { stream: name, maxBytes }));
      } else {
        chunks.push(chunk);
      }
    });
    stream.once('error', reject);
    stream.once('close', () => resolve(Buffer.concat(chunks, size)));
  });
}

/** Writes all of `input` and closes. That the program does not read it is the program's right. */
export async function feedInput(stream: Writable | undefined, input: string | Uint8Array): Promise<void> {
  if (stream === undefined) return;
  stream.end(input);
  if (!stream.closed) await once(stream, 'close').catch(() => undefined); // EPIPE: the program has closed its input
}
