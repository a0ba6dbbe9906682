import type { FileHandle } from 'node:fs/promises';
import { chunksOnFile, readHandle } from '../../util/read-file-chunks.js';
import type { ReadOptions } from '../content-store.js';

/** The content of an open file, or a part of it; each chunk is a buffer of its own unless they are reused. */
export function readChunks(
  file: FileHandle,
  path: string,
  options: Omit<ReadOptions, 'signal'> = {},
): AsyncGenerator<Uint8Array, void, void> {
  return chunksOnFile(path, readHandle(file, options));
}
