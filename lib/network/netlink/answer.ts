import { parseAttributes } from './attribute.js';
import { readCString, readI32, readU32 } from './bytes.js';
import { malformed } from './malformed.js';
import { parseMessages, type ReceivedMessage } from './message.js';

const MESSAGE_ERROR = 2;
const MESSAGE_DONE = 3;
const FIRST_FAMILY_TYPE = 16;
/** Flags of an error message: the request is not repeated in full; attributes follow. */
const CAPPED = 0x100;
const ACK_TLVS = 0x200;
const EXTENDED_TEXT = 1;

/** A request that the kernel refused. */
export interface NetlinkFailure {
  /** Sequence number of the refused message: its position in the datagram, from 1. */
  readonly sequence: number;
  /** Positive. */
  readonly errno: number;
  /** What the kernel says about it, or empty. */
  readonly text: string;
}

/** The answers to a datagram. */
export interface NetlinkAnswer {
  readonly messages: readonly ReceivedMessage[];
  readonly failures: readonly NetlinkFailure[];
}

/** Sorts the datagrams of an answer into data and failures; acknowledgements are dropped. */
export function readAnswer(datagrams: readonly Uint8Array[]): NetlinkAnswer {
  const messages: ReceivedMessage[] = [];
  const failures: NetlinkFailure[] = [];
  for (const message of datagrams.flatMap(parseMessages)) {
    if (message.type === MESSAGE_ERROR || message.type === MESSAGE_DONE) failures.push(...readFailure(message));
    else if (message.type >= FIRST_FAMILY_TYPE) messages.push(message);
  }
  return { messages, failures };
}

function readFailure({ type, flags, sequence, payload }: ReceivedMessage): NetlinkFailure[] {
  if (payload.length < 4) {
    if (type === MESSAGE_DONE) return [];
    throw malformed('error message without a number');
  }
  const error = readI32(payload);
  if (error >= 0) return [];
  return [{ sequence, errno: -error, text: type === MESSAGE_ERROR ? extendedText(flags, payload) : '' }];
}

function extendedText(flags: number, payload: Uint8Array): string {
  if ((flags & ACK_TLVS) === 0 || payload.length < 20) return '';
  const repeated = (flags & CAPPED) === 0 ? readU32(payload, 4) : 16;
  const start = 4 + ((repeated + 3) & ~3);
  if (start > payload.length) throw malformed('error message shorter than the request that it repeats');
  const text = parseAttributes(payload.subarray(start)).get(EXTENDED_TEXT);
  return text === undefined ? '' : readCString(text);
}
