import { createReadStream } from 'node:fs';
import { EngineError } from '../../core/errors/engine-error.js';
import { encodeTarHeader, padToBlock, tarEnd, tarPadding } from '../archive/tar-header.js';
import type { TreeEntry } from './tree-entry.js';

const chunkBytes = 256 * 1024;

/**
 * The entries as a tar archive (ustar, with PAX headers for long names) that depends on nothing but them: owner root,
 * modification time 1970-01-01.
 *
 * @throws EngineError `HOST_FILE_UNUSABLE` for a file whose size has changed since it was added.
 * @see pax(1), "ustar Interchange Format"
 */
export async function* writeTreeTar(
  entries: readonly (readonly [path: string, entry: TreeEntry])[],
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (const [path, entry] of entries) {
    signal?.throwIfAborted();
    const name = `${path.slice(1)}${entry.type === 'directory' ? '/' : ''}`;
    const target = entry.type === 'link' ? entry.target : '';
    const size = entry.type === 'file' ? entry.size : entry.type === 'text' ? Buffer.byteLength(entry.text) : 0;
    yield* headerOf(name, target, entry, size);
    if (entry.type === 'text') yield padToBlock(Buffer.from(entry.text));
    if (entry.type === 'file') yield* fileContent(entry.source, size, signal);
  }
  yield tarEnd();
}

function headerOf(name: string, target: string, entry: TreeEntry, size: number): Iterable<Uint8Array> {
  const mode = entry.type === 'link' ? 0o777 : entry.mode;
  const type = entry.type === 'directory' ? '5' : entry.type === 'link' ? '2' : '0';
  return encodeTarHeader({ name, target, mode, size, type });
}

async function* fileContent(source: string, size: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  let seen = 0;
  if (size > 0) {
    // `end` keeps a file that grows from disturbing the archive.
    const options = { highWaterMark: chunkBytes, end: size - 1, ...(signal && { signal }) };
    for await (const chunk of createReadStream(source, options) as AsyncIterable<Buffer>) {
      seen += chunk.length;
      yield chunk;
    }
  }
  if (seen !== size) throw new EngineError('HOST_FILE_UNUSABLE', { path: source, reason: 'it has become shorter' });
  yield tarPadding(size);
}
