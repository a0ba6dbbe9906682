import { be16, concat, u8 } from '../bytes.js';
import { malformed } from '../malformed.js';
import type { NetlinkMessage, ReceivedMessage } from '../message.js';

const SUBSYSTEM = 10;
const HEADER_BYTES = 4;

/** Address families of tables: what their chains see. */
export const families = { ipv4: 2, ipv6: 10, inet: 1 } as const;
export type Family = keyof typeof families;

/** Message numbers of nf_tables, where this package uses them. @see linux/netfilter/nf_tables.h */
export const nftMessages = {
  newTable: 0,
  getTable: 1,
  deleteTable: 2,
  newChain: 3,
  newRule: 6,
  newSet: 9,
  newElement: 12,
  getElement: 13,
  deleteElement: 14,
} as const;

/** A table is named by its family and its name. */
export interface TableName {
  readonly family: Family;
  readonly table: string;
}

/** An nf_tables request with these flags (besides `request`) and attributes. */
export function nftMessage(
  label: string,
  message: keyof typeof nftMessages,
  flags: number,
  family: Family,
  ...attributes: readonly Uint8Array[]
): NetlinkMessage {
  return {
    label,
    type: (SUBSYSTEM << 8) | nftMessages[message],
    flags,
    payload: concat(generalHeader(families[family], 0), ...attributes),
  };
}

/** `struct nfgenmsg`. */
export function generalHeader(family: number, resourceId: number): Uint8Array {
  return concat(u8(family), u8(0), be16(resourceId));
}

/** The attributes of the messages of one kind in an answer. */
export function attributesOf(message: keyof typeof nftMessages, answer: readonly ReceivedMessage[]): Uint8Array[] {
  return answer
    .filter(({ type }) => type === ((SUBSYSTEM << 8) | nftMessages[message]))
    .map(({ payload }) => {
      if (payload.length < HEADER_BYTES) throw malformed('short nf_tables message');
      return payload.subarray(HEADER_BYTES);
    });
}
