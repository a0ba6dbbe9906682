import { posix } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import { ByteReader } from './byte-reader.js';
import { decodeTarHeader, type TarHeader } from './tar-header.js';

/** One member of an archive. Its content is there until the next member is asked for. */
export interface TarMember {
  /** Normalised: `blobs/sha256/ab…`, never with a slash in front or behind. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'link' | 'other';
  /** Of a link: the path where it leads, from the root of the archive; not normalised. */
  readonly target: string;
  readonly size: number;
  /** Of a file. */
  readonly content: AsyncIterable<Uint8Array>;
}

const blockBytes = 512;
/** A name with its PAX header; paths of a file system end at 4 KiB. */
const maxExtensionBytes = 64 * 1024;

/**
 * The members of a tar archive of images (ustar, PAX and GNU long names). It is no general reader: what may stand in a layer
 * and has no business around layers (sparse files, devices) is `other`, or refused.
 *
 * @throws EngineError `INVALID_ARCHIVE` naming the member.
 * @see pax(1), "ustar Interchange Format"
 */
export async function* tarMembers(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember, void, void> {
  const reader = new ByteReader(source);
  try {
    let extensions: Partial<TarHeader> = {};
    for (let count = 0; ; count += 1) {
      if (count > limits.archiveMembers) {
        throw invalid('', `it has more than ${limits.archiveMembers} members`);
      }
      const block = await reader.take(blockBytes);
      if (block === undefined) throw invalid('', 'it is truncated: its end is missing');
      if (block.every((byte) => byte === 0)) break;
      const header = decodeTarHeader(block);
      if ('xgLK'.includes(header.type)) {
        extensions = { ...extensions, ...(await readExtension(reader, header)) };
        continue;
      }
      const member = { ...header, ...extensions };
      extensions = {};
      let left = member.size;
      async function* content(): AsyncGenerator<Uint8Array, void, void> {
        while (left > 0) {
          const chunk = await reader.some(left);
          if (chunk === undefined) throw invalid(member.path, 'the archive ends in it');
          left -= chunk.byteLength;
          yield chunk;
        }
      }
      yield { ...toMember(member), content: content() };
      for await (const _ of content()); // what its reader has left
      await skip(reader, padding(member.size), member.path);
    }
    while ((await reader.some(Number.MAX_SAFE_INTEGER)) !== undefined); // who writes must not meet a closed pipe
  } finally {
    await reader.close();
  }
}

/** What a PAX or GNU header says of the member behind it. */
async function readExtension(reader: ByteReader, header: TarHeader): Promise<Partial<TarHeader>> {
  if (header.size > maxExtensionBytes) throw invalid(header.path, `its extended header has ${header.size} bytes`);
  const bytes = await reader.take(header.size);
  if (bytes === undefined) throw invalid(header.path, 'the archive ends in it');
  await skip(reader, padding(header.size), header.path);
  if (header.type === 'g') return {};
  const text = Buffer.from(bytes).toString('utf8');
  if (header.type === 'L') return { path: text.replace(/\0[\s\S]*$/, '') };
  if (header.type === 'K') return { target: text.replace(/\0[\s\S]*$/, '') };
  return paxFields(bytes, header.path);
}

function paxFields(bytes: Uint8Array, path: string): Partial<TarHeader> {
  const fields: { path?: string; target?: string; size?: number } = {};
  const buffer = Buffer.from(bytes);
  for (let at = 0; at < buffer.length; ) {
    const space = buffer.indexOf(0x20, at);
    const digits = buffer.toString('latin1', at, Math.max(space, at));
    const length = /^[1-9]\d{0,7}$/.test(digits) ? Number(digits) : 0;
    const record = buffer.subarray(space + 1, at + length);
    const equals = record.indexOf(0x3d);
    if (length === 0 || at + length > buffer.length || equals < 1 || record.at(-1) !== 0x0a) {
      throw invalid(path, 'its extended header is malformed');
    }
    const key = record.toString('utf8', 0, equals);
    const value = record.toString('utf8', equals + 1, record.length - 1);
    if (key === 'path') fields.path = value;
    else if (key === 'linkpath') fields.target = value;
    else if (key === 'size') fields.size = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    else if (key.startsWith('GNU.sparse')) throw invalid(path, 'it is a sparse file');
    at += length;
  }
  if (Number.isNaN(fields.size)) throw invalid(path, 'its size is no number');
  return fields;
}

function toMember({ path, target, type, size }: TarHeader): Omit<TarMember, 'content'> {
  const types = { '0': 'file', '\0': 'file', '7': 'file', '1': 'link', '2': 'link', '5': 'directory' } as const;
  const isDirectory = path.endsWith('/') && (type === '0' || type === '\0'); // as v7 has it
  const kind = isDirectory ? 'directory' : Object.hasOwn(types, type) ? types[type as keyof typeof types] : 'other';
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || path.includes('\0')) throw invalid(path, 'its name leaves the archive');
  const name = parts.join('/');
  // The target of a hard link begins at the root; a symbolic link begins where it lies.
  const isRelative = type === '2' && !target.startsWith('/');
  return { path: name, type: kind, target: isRelative ? posix.join(posix.dirname(name), target) : target, size };
}

async function skip(reader: ByteReader, count: number, path: string): Promise<void> {
  if (count > 0 && (await reader.take(count)) === undefined) throw invalid(path, 'the archive ends behind it');
}

const padding = (size: number): number => (blockBytes - (size % blockBytes)) % blockBytes;

const invalid = (entry: string, reason: string): EngineError =>
  new EngineError('INVALID_ARCHIVE', { entry: entry.slice(0, 300), reason });
