import type { FileHandle } from 'node:fs/promises';
import { onFile } from '../../util/file-error.js';
import { readHandle } from '../../util/read-file-chunks.js';
import type { ReadOptions } from '../content-store.js';

/** The content of an open file, or a part of it; each chunk is a buffer of its own unless they are reused. */
export async function* readChunks(
  file: FileHandle,
  path: string,
  options: Omit<ReadOptions, 'signal'> = {},
): AsyncGenerator<Uint8Array, void, void> {
  const chunks = readHandle(file, options);
  for (;;) {
    const { value, done } = await onFile(path, () => chunks.next());
    if (done) return;
    yield value;
  }
}
