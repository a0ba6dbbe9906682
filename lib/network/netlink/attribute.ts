import { EngineError } from '../../core/errors/engine-error.js';
import { concat, padded, readU16, u16 } from './bytes.js';
import { malformed } from './malformed.js';

const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;

/** The length of an attribute is a number of 16 bits. */
const MAX_BYTES = 0xffff;

/**
 * A netlink attribute (type, length, value), padded. A length that wrapped would turn the end of a value into attributes
 * of its own (CVE-2021-43784). @see netlink(7)
 *
 * @throws EngineError `TOO_LARGE`.
 */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  if (4 + value.length > MAX_BYTES)
    throw new EngineError('TOO_LARGE', { what: `netlink attribute ${type & TYPE_MASK}`, maxBytes: MAX_BYTES });
  return padded(concat(u16(4 + value.length), u16(type), value));
}

/** An attribute whose value is a list of attributes. */
export function nested(type: number, ...children: readonly Uint8Array[]): Uint8Array {
  return attribute(type | NESTED, concat(...children));
}

/** An attribute of a received message; the flags of the type are stripped. */
export interface ReceivedAttribute {
  readonly type: number;
  readonly value: Uint8Array;
}

/** All attributes in `bytes`, in order, repeated types included. @throws EngineError `NETLINK_FAILED` EBADMSG. */
export function parseAttributeList(bytes: Uint8Array): ReceivedAttribute[] {
  const list: ReceivedAttribute[] = [];
  let offset = 0;
  while (bytes.length - offset >= 4) {
    const length = readU16(bytes, offset);
    if (length < 4 || length > bytes.length - offset) throw malformed(`attribute of ${length} bytes`);
    const type = readU16(bytes, offset + 2) & TYPE_MASK;
    list.push({ type, value: bytes.subarray(offset + 4, offset + length) });
    offset += (length + 3) & ~3;
  }
  return list;
}

/** The attributes in `bytes` by type; of a repeated type the last. @throws EngineError `NETLINK_FAILED` EBADMSG. */
export function parseAttributes(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  return new Map(parseAttributeList(bytes).map(({ type, value }) => [type, value]));
}

/** The value of an attribute that must be there and have at least `minimum` bytes. */
export function requireAttribute(
  attributes: ReadonlyMap<number, Uint8Array>,
  type: number,
  minimum: number,
): Uint8Array {
  const value = attributes.get(type);
  if (value === undefined || value.length < minimum) throw malformed(`attribute ${type} missing or short`);
  return value;
}
