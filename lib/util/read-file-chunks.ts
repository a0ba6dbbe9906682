import { type FileHandle, open } from 'node:fs/promises';
import { onFile } from './file-error.js';

const chunkBytes = 256 * 1024;

/** What of a file is read. */
export interface ReadChunksOptions {
  /** Where to begin. Default 0. */
  readonly offset?: number | undefined;
  /** How many bytes at most. Default: all. */
  readonly length?: number | undefined;
  /** Chunks share their memory: each is overwritten by the next. Default false. */
  readonly reuseChunks?: boolean | undefined;
}

/** The content of a file, which is opened at the first read and closed at the end, however that comes. */
export async function* readFileChunks(
  path: string,
  options: ReadChunksOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const file = await open(path, 'r');
  try {
    yield* readHandle(file, options);
  } finally {
    await file.close();
  }
}

/** The same chunks; failures of the system become EngineErrors that name `path`. */
export async function* chunksOnFile(
  path: string,
  chunks: AsyncGenerator<Uint8Array, void, void>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    for (;;) {
      const { value, done } = await onFile(path, () => chunks.next());
      if (done) return;
      yield value;
    }
  } finally {
    await chunks.return();
  }
}

/** The content of an open file. */
export async function* readHandle(
  file: FileHandle,
  { offset = 0, length = Number.POSITIVE_INFINITY, reuseChunks = false }: ReadChunksOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const end = offset + length;
  let buffer: Buffer | undefined;
  for (let position = offset; position < end; ) {
    const wanted = Math.min(chunkBytes, end - position);
    if (!reuseChunks || buffer === undefined) buffer = Buffer.allocUnsafeSlow(wanted);
    const { bytesRead } = await file.read(buffer, 0, Math.min(wanted, buffer.byteLength), position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
