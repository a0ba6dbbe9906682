import { EngineError } from '../../core/errors/engine-error.js';

/** The fields of a header that matter to archives of images. */
export interface TarHeader {
  readonly path: string;
  readonly type: string;
  readonly target: string;
  readonly size: number;
}

const blockBytes = 512;
const checksumAt = 148;
/** Beyond it a size does not fit into the octal field. */
const maxOctalSize = 8 ** 11 - 1;
const maxOctalId = 0o7777777;

/**
 * Decodes one header.
 *
 * @throws EngineError `INVALID_ARCHIVE`.
 * @see pax(1), "ustar Interchange Format"
 */
export function decodeTarHeader(block: Uint8Array): TarHeader {
  const buffer = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  const field = (at: number, length: number): string => {
    const end = buffer.subarray(at, at + length).indexOf(0);
    return buffer.toString('utf8', at, end < 0 ? at + length : at + end);
  };
  const name = field(0, 100);
  const invalid = (reason: string): EngineError => new EngineError('INVALID_ARCHIVE', { entry: name, reason });
  let sum = 8 * 0x20;
  for (const [at, byte] of buffer.entries()) if (at < checksumAt || at >= checksumAt + 8) sum += byte;
  if (Number.parseInt(field(checksumAt, 8).trim(), 8) !== sum)
    throw invalid('its header is damaged, or it is no archive');
  const isUstar = buffer.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? field(345, 155) : '';
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    type: buffer.toString('latin1', 156, 157),
    target: field(157, 100),
    size: decodeSize(buffer.subarray(124, 136), invalid),
  };
}

/** Octal, or binary with the first bit set, as GNU has it. */
function decodeSize(field: Buffer, invalid: (reason: string) => EngineError): number {
  const isBinary = ((field[0] ?? 0) & 0x80) !== 0;
  const text = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trim();
  const size = isBinary ? binarySize(field) : /^[0-7]*$/.test(text) ? Number.parseInt(text || '0', 8) : Number.NaN;
  if (!Number.isSafeInteger(size) || size < 0) throw invalid('its size is no number');
  return size;
}

const binarySize = (field: Buffer): number =>
  field[0] === 0x80 && field.readUInt32BE(0) === 0x80000000 ? Number(field.readBigUInt64BE(4)) : Number.NaN;

/** What a header is made of. */
export interface TarHeaderFields {
  readonly name: string;
  /** Default: none. */
  readonly target?: string;
  readonly mode: number;
  readonly size: number;
  /** `0` a file, `2` a symbolic link, `5` a directory. */
  readonly type: string;
  /** Default: root. */
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since 1970. Default 0. */
  readonly mtime?: number;
}

/** The header of a member, with a PAX header in front where its fields do not fit into one. */
export function* encodeTarHeader(fields: TarHeaderFields): Generator<Uint8Array, void, void> {
  const { name, target = '', size, uid = 0, gid = 0 } = fields;
  const records = [
    ...(isLong(name) ? [paxRecord('path', name)] : []),
    ...(isLong(target) ? [paxRecord('linkpath', target)] : []),
    ...(size > maxOctalSize ? [paxRecord('size', String(size))] : []),
    ...(uid > maxOctalId ? [paxRecord('uid', String(uid))] : []),
    ...(gid > maxOctalId ? [paxRecord('gid', String(gid))] : []),
  ].join('');
  if (records !== '') {
    yield header({ name: 'PaxHeaders/entry', mode: 0o644, size: Buffer.byteLength(records), type: 'x' });
    yield padToBlock(Buffer.from(records));
  }
  yield header(fields);
}

/** Content with the zeros that fill its last block. */
export function padToBlock(content: Uint8Array): Uint8Array {
  const block = new Uint8Array(Math.ceil(content.length / blockBytes) * blockBytes);
  block.set(content);
  return block;
}

/** The zeros behind so many bytes of content. */
export const tarPadding = (size: number): Uint8Array => new Uint8Array((blockBytes - (size % blockBytes)) % blockBytes);

/** The end of an archive. */
export const tarEnd = (): Uint8Array => new Uint8Array(2 * blockBytes);

const isLong = (text: string): boolean => Buffer.byteLength(text) > 100;

/** A record's length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length > length) length += 1;
  return `${length} ${key}=${value}\n`;
}

function header({ name, target = '', mode, size, type, uid = 0, gid = 0, mtime = 0 }: TarHeaderFields): Uint8Array {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, digits: number): void => {
    block.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  };
  Buffer.from(name).copy(block, 0, 0, 100); // cut names are overridden by their PAX header
  octal(mode, 100, 7);
  octal(Math.min(uid, maxOctalId), 108, 7);
  octal(Math.min(gid, maxOctalId), 116, 7);
  octal(Math.min(size, maxOctalSize), 124, 11);
  octal(mtime, 136, 11);
  block.write('        ', checksumAt, 'latin1');
  block.write(type, 156, 'latin1');
  Buffer.from(target).copy(block, 157, 0, 100);
  block.write('ustar\u000000', 257, 'latin1');
  octal(0, 329, 7);
  octal(0, 337, 7);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, checksumAt, 'latin1');
  return block;
}
