import { createReadStream } from 'node:fs';
import { EngineError } from '../../core/errors/engine-error.js';
import type { TreeEntry } from './tree-entry.js';

const blockBytes = 512;
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
    yield* headers(name, target, entry, size);
    if (entry.type === 'text') yield padded(Buffer.from(entry.text));
    if (entry.type === 'file') yield* fileContent(entry.source, size, signal);
  }
  yield new Uint8Array(2 * blockBytes);
}

function* headers(name: string, target: string, entry: TreeEntry, size: number): Generator<Uint8Array> {
  const records = [
    ...(isLong(name) ? [paxRecord('path', name)] : []),
    ...(isLong(target) ? [paxRecord('linkpath', target)] : []),
  ].join('');
  if (records !== '') {
    yield header({ name: 'PaxHeaders/entry', target: '', mode: 0o644, size: Buffer.byteLength(records), type: 'x' });
    yield padded(Buffer.from(records));
  }
  const mode = entry.type === 'link' ? 0o777 : entry.mode;
  const type = entry.type === 'directory' ? '5' : entry.type === 'link' ? '2' : '0';
  yield header({ name, target, mode, size, type });
}

const isLong = (text: string): boolean => Buffer.byteLength(text) > 100;

/** A record's length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length > length) length += 1;
  return `${length} ${key}=${value}\n`;
}

interface HeaderFields {
  readonly name: string;
  readonly target: string;
  readonly mode: number;
  readonly size: number;
  readonly type: string;
}

function header(fields: HeaderFields): Uint8Array {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, digits: number): void => {
    block.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  };
  Buffer.from(fields.name).copy(block, 0, 0, 100); // cut names are overridden by their PAX header
  octal(fields.mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(fields.size, 124, 11);
  octal(0, 136, 11);
  block.write('        ', 148, 'latin1');
  block.write(fields.type, 156, 'latin1');
  Buffer.from(fields.target).copy(block, 157, 0, 100);
  block.write('ustar\u000000', 257, 'latin1');
  octal(0, 329, 7);
  octal(0, 337, 7);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
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
  if (size % blockBytes !== 0) yield new Uint8Array(blockBytes - (size % blockBytes));
}

function padded(content: Uint8Array): Uint8Array {
  const block = new Uint8Array(Math.ceil(content.length / blockBytes) * blockBytes);
  block.set(content);
  return block;
}
