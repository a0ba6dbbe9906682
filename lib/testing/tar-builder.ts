/** Fields of one header, all with harmless defaults; every malformed header can be made. */
export interface TarHeaderFields {
  readonly name: string | Buffer;
  /** Type flag; default `'0'`. */
  readonly type?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Default: the length of the content. */
  readonly size?: number;
  readonly mtime?: number;
  readonly link?: string | Buffer;
  readonly major?: number;
  readonly minor?: number;
  readonly prefix?: string;
  /** Default `ustar\0` and `00`; `''` for v7, `'ustar  \0'` for GNU. */
  readonly magic?: string;
  /** Bytes that are written over the finished fields, before the checksum: `{ 124: '…' }`. */
  readonly raw?: Readonly<Record<number, string | Buffer>>;
  /** Default: the right one. `signed`: as writers with signed chars made it. */
  readonly checksum?: 'right' | 'wrong' | 'signed';
}

export interface TarMember extends TarHeaderFields {
  readonly content?: string | Buffer;
  /** Records of a PAX header in front. */
  readonly pax?: PaxRecords;
}

export type PaxRecords = Readonly<Record<string, string | Buffer>>;

const block = 512;

/** A whole archive: members and two zero blocks. */
export function tarOf(...members: readonly (TarMember | Buffer)[]): Buffer {
  return Buffer.concat([...members.map((each) => (Buffer.isBuffer(each) ? each : tarMember(each))), tarEnd()]);
}

export function tarEnd(): Buffer {
  return Buffer.alloc(2 * block);
}

/** A member: PAX header if wanted, header, padded content. */
export function tarMember(member: TarMember): Buffer {
  const content = Buffer.from(member.content ?? '');
  const header = tarHeader({ size: content.length, ...member });
  return Buffer.concat([member.pax === undefined ? Buffer.alloc(0) : paxHeader(member.pax), header, padded(content)]);
}

/** Only the 512 bytes. */
export function tarHeader(fields: TarHeaderFields): Buffer {
  const header = Buffer.alloc(block);
  const put = (offset: number, value: string | Buffer): void => void header.set(Buffer.from(value as Buffer), offset);
  put(0, Buffer.from(fields.name as Buffer).subarray(0, 100));
  put(100, octal(fields.mode ?? 0o644, 8));
  put(108, octal(fields.uid ?? 0, 8));
  put(116, octal(fields.gid ?? 0, 8));
  put(124, octal(fields.size ?? 0, 12));
  put(136, octal(fields.mtime ?? 1_700_000_000, 12));
  put(156, fields.type ?? '0');
  put(157, Buffer.from((fields.link ?? '') as Buffer).subarray(0, 100));
  put(257, fields.magic ?? 'ustar\x0000');
  put(329, octal(fields.major ?? 0, 8));
  put(337, octal(fields.minor ?? 0, 8));
  put(345, fields.prefix ?? '');
  for (const [offset, value] of Object.entries(fields.raw ?? {})) put(Number(offset), value);
  put(148, ' '.repeat(8));
  const sum = header.reduce(
    (total, byte) => total + (fields.checksum === 'signed' && byte > 127 ? byte - 256 : byte),
    0,
  );
  put(148, `${(sum + (fields.checksum === 'wrong' ? 1 : 0)).toString(8).padStart(6, '0')}\0 `);
  return header;
}

/** A PAX header (`x`, or `g` for a global one) with its records. */
export function paxHeader(records: PaxRecords, type: 'x' | 'g' = 'x'): Buffer {
  return rawPaxHeader(Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value))), type);
}

/** A PAX header with any bytes as its body. */
export function rawPaxHeader(body: Buffer, type: 'x' | 'g' = 'x'): Buffer {
  return Buffer.concat([tarHeader({ name: 'PaxHeaders/x', type, size: body.length }), padded(body)]);
}

export function paxRecord(key: string, value: string | Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value as Buffer), Buffer.from('\n')]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

/** A GNU long name (`L`) or long link (`K`) in front of a member. */
export function gnuLong(type: 'L' | 'K', text: string | Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(text as Buffer), Buffer.alloc(1)]);
  return Buffer.concat([
    tarHeader({ name: '././@LongLink', type, size: body.length, magic: 'ustar  \0' }),
    padded(body),
  ]);
}

/** A number field in base 256, of `size` bytes. */
export function base256(value: bigint, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let rest = BigInt.asUintN(size * 8, value);
  for (let index = size - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  bytes[0] = value < 0n ? 0xff : (bytes[0] ?? 0) | 0x80;
  return bytes;
}

export function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((block - (content.length % block)) % block)]);
}

function octal(value: number, size: number): string {
  return `${value.toString(8).padStart(size - 1, '0')}\0`;
}
