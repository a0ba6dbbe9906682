import type { FileHandle } from 'node:fs/promises';
import { onFile } from '../../util/file-error.js';

const chunkBytes = 256 * 1024;

/** The content of an open file from its beginning; each chunk is a buffer of its own. */
export async function* readChunks(file: FileHandle, path: string): AsyncGenerator<Uint8Array, void, void> {
  for (let position = 0; ; ) {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes);
    const { bytesRead } = await onFile(path, () => file.read(buffer, 0, chunkBytes, position));
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
