import { type FileHandle, open } from 'node:fs/promises';
import { EngineError } from '../../core/errors/engine-error.js';

/** What the dynamic loader needs to know of an executable or a shared library. */
export interface ElfFile {
  /** Word size, machine and byte order: a process can only load libraries with the same. */
  readonly abi: string;
  /** The dynamic loader, an absolute path. Absent in static programs and libraries. */
  readonly interpreter?: string;
  /** Names of the libraries, in the order of loading. */
  readonly needed: readonly string[];
  /** Search directories, unexpanded. `rpath` is void where `runpath` is present. */
  readonly rpath: readonly string[];
  readonly runpath: readonly string[];
}

/** More than any linker writes; bounds the work on a file that only looks like ELF. */
const max = { headers: 1024, dynamicBytes: 1024 * 1024, stringBytes: 4096 };

const PT = { load: 1, dynamic: 2, interpreter: 3 };
const DT = { null: 0, needed: 1, stringTable: 5, rpath: 15, runpath: 29 };

/**
 * Reads the loader's part of an ELF file, of 32 or 64 bits and either byte order. Undefined when it is no ELF file.
 *
 * @throws EngineError `HOST_FILE_UNUSABLE` for an ELF file that is truncated or contradicts itself.
 * @see elf(5)
 */
export async function readElf(path: string): Promise<ElfFile | undefined> {
  const file = await open(path, 'r');
  try {
    const ident = await readUpTo(file, 0, 64);
    if (ident.length < 52 || ident.readUInt32BE(0) !== 0x7f45_4c46) return undefined;
    return await parse(new Reader(file, path, ident));
  } finally {
    await file.close();
  }
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

async function parse(reader: Reader): Promise<ElfFile> {
  const segments = await readSegments(reader);
  const interpreter = segments.find((each) => each.type === PT.interpreter);
  const dynamic = segments.find((each) => each.type === PT.dynamic);
  const tags = dynamic === undefined ? [] : await readDynamic(reader, dynamic);
  const tableAddress = tags.find(([tag]) => tag === DT.stringTable)?.[1];
  const strings = async (wanted: number): Promise<string[]> => {
    const found: string[] = [];
    for (const [tag, value] of tags) {
      if (tag !== wanted) continue;
      if (tableAddress === undefined) throw reader.unusable('its names have no table');
      found.push(await reader.text(fileOffset(reader, segments, tableAddress) + value));
    }
    return found;
  };
  const directories = async (tag: number): Promise<string[]> =>
    (await strings(tag)).flatMap((list) => list.split(':')).filter((each) => each !== '');
  return {
    abi: reader.abi,
    ...(interpreter && { interpreter: await reader.text(interpreter.offset) }),
    needed: await strings(DT.needed),
    rpath: await directories(DT.rpath),
    runpath: await directories(DT.runpath),
  };
}

async function readSegments(reader: Reader): Promise<Segment[]> {
  const [tableAt, entryBytes, count] = reader.wide
    ? [reader.word(reader.ident, 32), reader.half(reader.ident, 54), reader.half(reader.ident, 56)]
    : [reader.word(reader.ident, 28), reader.half(reader.ident, 42), reader.half(reader.ident, 44)];
  if (count > max.headers || entryBytes < (reader.wide ? 56 : 32)) throw reader.unusable('its program headers');
  const table = await reader.bytes(tableAt, count * entryBytes);
  return Array.from({ length: count }, (_, index) => {
    const at = index * entryBytes;
    const [offset, address, size] = reader.wide ? [8, 16, 32] : [4, 8, 16];
    return {
      type: reader.int(table, at),
      offset: reader.word(table, at + offset),
      address: reader.word(table, at + address),
      size: reader.word(table, at + size),
    };
  });
}

async function readDynamic(reader: Reader, segment: Segment): Promise<[tag: number, value: number][]> {
  if (segment.size > max.dynamicBytes) throw reader.unusable('its dynamic section is too large');
  const bytes = await reader.bytes(segment.offset, segment.size);
  const step = reader.wide ? 16 : 8;
  const tags: [number, number][] = [];
  for (let at = 0; at + step <= bytes.length; at += step) {
    const tag = reader.word(bytes, at);
    if (tag === DT.null) break;
    tags.push([tag, reader.word(bytes, at + step / 2)]);
  }
  return tags;
}

/** Addresses in the dynamic section are those of memory; the segments say where they are in the file. */
function fileOffset(reader: Reader, segments: readonly Segment[], address: number): number {
  const home = segments.find(
    (each) => each.type === PT.load && address >= each.address && address < each.address + each.size,
  );
  if (home === undefined) throw reader.unusable('an address outside of its segments');
  return home.offset + (address - home.address);
}

/** Reads numbers the way the file's own header says. */
class Reader {
  readonly wide: boolean;
  readonly abi: string;
  readonly #little: boolean;

  constructor(
    readonly file: FileHandle,
    readonly path: string,
    readonly ident: Buffer,
  ) {
    this.wide = ident[4] === 2;
    this.#little = ident[5] === 1;
    if (this.wide && ident.length < 64) throw this.unusable('it is truncated');
    this.abi = `${this.wide ? 64 : 32}-${this.half(ident, 18)}-${this.#little ? 'little' : 'big'}`;
  }

  half(from: Buffer, at: number): number {
    return this.#little ? from.readUInt16LE(at) : from.readUInt16BE(at);
  }

  int(from: Buffer, at: number): number {
    return this.#little ? from.readUInt32LE(at) : from.readUInt32BE(at);
  }

  /** An address or offset. Tags of the dynamic section beyond 2^53 lose digits, which makes them no less unknown. */
  word(from: Buffer, at: number): number {
    if (!this.wide) return this.int(from, at);
    return Number(this.#little ? from.readBigUInt64LE(at) : from.readBigUInt64BE(at));
  }

  async bytes(at: number, length: number): Promise<Buffer> {
    const bytes = await readUpTo(this.file, at, length);
    if (bytes.length < length) throw this.unusable('it is truncated');
    return bytes;
  }

  async text(at: number): Promise<string> {
    const bytes = await readUpTo(this.file, at, max.stringBytes);
    const end = bytes.indexOf(0);
    if (end < 0) throw this.unusable('a name without end');
    return bytes.toString('utf8', 0, end);
  }

  unusable(reason: string): EngineError {
    return new EngineError('HOST_FILE_UNUSABLE', { path: this.path, reason: `damaged ELF file: ${reason}` });
  }
}

async function readUpTo(file: FileHandle, position: number, length: number): Promise<Buffer> {
  if (!Number.isSafeInteger(position)) return Buffer.alloc(0);
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
