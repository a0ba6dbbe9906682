import { concat, padded, readU16, readU32, u16, u32 } from './bytes.js';
import { malformed } from './malformed.js';

/** Flags of a request. @see netlink(7) */
export const messageFlags = {
  request: 0x1,
  acknowledge: 0x4,
  /** For requests that make something: replace, refuse if it exists, make it if it does not. */
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  /** For requests that read: everything. */
  dump: 0x300,
} as const;

const HEADER_BYTES = 16;

/** One request to the kernel. `flags` are besides `request`, which is always set. */
export interface NetlinkMessage {
  /** What it does and to what, for error messages: `create bridge tsc-1`. */
  readonly label: string;
  readonly type: number;
  readonly flags: number;
  /** What follows the header: the family's fixed header and attributes. */
  readonly payload: Uint8Array;
}

/** One message of an answer. */
export interface ReceivedMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Encodes messages as one datagram; they get the sequence numbers 1, 2, 3, … */
export function encodeMessages(messages: readonly NetlinkMessage[]): Uint8Array {
  // A copy, since a Buffer is a view of a larger pool, all of which would be stored with a plan.
  return new Uint8Array(concat(...messages.map((message, index) => encodeMessage(message, index + 1))));
}

/**
 * Splits a datagram into its messages.
 *
 * @throws EngineError `NETLINK_FAILED` EBADMSG when a length does not fit.
 */
export function parseMessages(datagram: Uint8Array): ReceivedMessage[] {
  const messages: ReceivedMessage[] = [];
  let offset = 0;
  while (offset < datagram.length) {
    const rest = datagram.length - offset;
    const length = rest < HEADER_BYTES ? 0 : readU32(datagram, offset);
    if (length < HEADER_BYTES || length > rest) throw malformed(`message of ${length} bytes in ${rest}`);
    messages.push({
      type: readU16(datagram, offset + 4),
      flags: readU16(datagram, offset + 6),
      sequence: readU32(datagram, offset + 8),
      payload: datagram.subarray(offset + HEADER_BYTES, offset + length),
    });
    offset += (length + 3) & ~3;
  }
  return messages;
}

function encodeMessage({ type, flags, payload }: NetlinkMessage, sequence: number): Uint8Array {
  const length = HEADER_BYTES + payload.length;
  return padded(concat(u32(length), u16(type), u16(flags | messageFlags.request), u32(sequence), u32(0), payload));
}
