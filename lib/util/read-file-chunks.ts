import { createReadStream } from 'node:fs';

const chunkBytes = 256 * 1024;

/** The content of a file, which is opened at the first read and closed at the end, however that comes. */
export async function* readFileChunks(path: string): AsyncGenerator<Uint8Array, void, void> {
  const stream = createReadStream(path, { highWaterMark: chunkBytes });
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } finally {
    stream.destroy();
  }
}
