import { formatIpv4, parseIpv4, type Subnet } from '../../ipv4.js';
import { attribute, parseAttributes } from '../attribute.js';
import { be32, concat, readBe32, readU32, u8, u32 } from '../bytes.js';
import { malformed } from '../malformed.js';
import { messageFlags, type NetlinkMessage, type ReceivedMessage } from '../message.js';

const NEW_ADDRESS = 20;
const GET_ADDRESS = 22;
const IPV4 = 2;
const INFO_BYTES = 8;

const addressAttribute = { address: 1, local: 2, broadcast: 4 } as const;

export interface AddressOptions {
  /** Index of the interface. */
  readonly index: number;
  readonly address: string;
  readonly prefixLength: number;
}

/** Gives an interface an IPv4 address; one that it has already is `EEXIST`. @see rtnetlink(7) */
export function addAddress({ index, address, prefixLength }: AddressOptions): NetlinkMessage {
  const local = parseIpv4(address);
  const hostBits = prefixLength >= 31 ? 0 : 0xffffffff >>> prefixLength;
  return {
    label: `add address ${address}/${prefixLength}`,
    type: NEW_ADDRESS,
    flags: messageFlags.acknowledge | messageFlags.create | messageFlags.exclusive,
    payload: concat(
      info(prefixLength, index),
      attribute(addressAttribute.local, be32(local)),
      attribute(addressAttribute.address, be32(local)),
      ...(hostBits === 0 ? [] : [attribute(addressAttribute.broadcast, be32((local | hostBits) >>> 0))]),
    ),
  };
}

/** Asks for every IPv4 address. */
export function dumpAddresses(): NetlinkMessage {
  return { label: 'list addresses', type: GET_ADDRESS, flags: messageFlags.dump, payload: info(0, 0) };
}

export interface InterfaceAddress extends Subnet {
  readonly index: number;
  readonly address: string;
}

/** Reads the IPv4 addresses out of an answer; other messages are ignored. */
export function parseAddresses(messages: readonly ReceivedMessage[]): InterfaceAddress[] {
  return messages.filter((message) => message.type === NEW_ADDRESS).flatMap(parseAddress);
}

function parseAddress({ payload }: ReceivedMessage): InterfaceAddress[] {
  if (payload.length < INFO_BYTES) throw malformed('short address message');
  if (payload[0] !== IPV4) return [];
  const attributes = parseAttributes(payload.subarray(INFO_BYTES));
  const peer = attributes.get(addressAttribute.address);
  const local = attributes.get(addressAttribute.local) ?? peer;
  if (local?.length !== 4) throw malformed('address message without an address');
  const prefixLength = payload[1] ?? 0;
  const reached = peer?.length === 4 ? peer : local;
  return [{ index: readU32(payload, 4), address: formatIpv4(readBe32(local)), base: readBe32(reached), prefixLength }];
}

/** `struct ifaddrmsg`. */
function info(prefixLength: number, index: number): Uint8Array {
  return concat(u8(IPV4), u8(prefixLength), u8(0), u8(0), u32(index));
}
