import { endianness } from 'node:os';

/** Netlink speaks the byte order of the machine, except where a field says otherwise. */
const little = endianness() === 'LE';

export const u8 = (value: number): Uint8Array => Uint8Array.of(value);

/** 16 bits in the machine's byte order. */
export function u16(value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  new DataView(bytes.buffer).setUint16(0, value, little);
  return bytes;
}

/** 32 bits in the machine's byte order; negative values wrap. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, little);
  return bytes;
}

/** 16 bits in network byte order. */
export const be16 = (value: number): Uint8Array => Uint8Array.of((value >> 8) & 0xff, value & 0xff);

/** 32 bits in network byte order; negative values wrap. */
export function be32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, false);
  return bytes;
}

/** UTF-8 with a closing zero byte. */
export const cString = (text: string): Uint8Array => Buffer.from(`${text}\0`, 'utf8');

/** The text before the first zero byte. */
export function readCString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** `bytes` followed by zeros up to a multiple of four, as netlink aligns everything. */
export function padded(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : concat(bytes, new Uint8Array(4 - rest));
}

export const readU16 = (bytes: Uint8Array, offset = 0): number => view(bytes).getUint16(offset, little);
export const readU32 = (bytes: Uint8Array, offset = 0): number => view(bytes).getUint32(offset, little);
export const readI32 = (bytes: Uint8Array, offset = 0): number => view(bytes).getInt32(offset, little);
export const readBe32 = (bytes: Uint8Array, offset = 0): number => view(bytes).getUint32(offset, false);

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
