import type { FileHandle } from 'node:fs/promises';
import { onFile } from '../../util/file-error.js';

const chunkBytes = 256 * 1024;

/** The content of an open file, or `length` bytes of it from `offset` on; each chunk is a buffer of its own. */
export async function* readChunks(
  file: FileHandle,
  path: string,
  offset = 0,
  length = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array, void, void> {
  const end = offset + length;
  for (let position = offset; position < end; ) {
    const wanted = Math.min(chunkBytes, end - position);
    const buffer = Buffer.allocUnsafeSlow(wanted);
    const { bytesRead } = await onFile(path, () => file.read(buffer, 0, wanted, position));
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
