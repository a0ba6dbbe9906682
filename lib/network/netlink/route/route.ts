import { parseIpv4, type Subnet } from '../../ipv4.js';
import { attribute, parseAttributes } from '../attribute.js';
import { be32, concat, readBe32, readU32, u8, u32 } from '../bytes.js';
import { malformed } from '../malformed.js';
import { messageFlags, type NetlinkMessage, type ReceivedMessage } from '../message.js';

const NEW_ROUTE = 24;
const GET_ROUTE = 26;
const IPV4 = 2;
const INFO_BYTES = 12;
const MAIN_TABLE = 254;
const LOCAL_TABLE = 255;
const PROTOCOL_BOOT = 3;
const UNICAST = 1;

const routeAttribute = { destination: 1, outgoing: 4, gateway: 5 } as const;

/** Sends everything without a better route to `gateway`, which must be on a connected network. @see rtnetlink(7) */
export function addDefaultRoute(gateway: string): NetlinkMessage {
  return {
    label: `add default route by ${gateway}`,
    type: NEW_ROUTE,
    flags: messageFlags.acknowledge | messageFlags.create | messageFlags.exclusive,
    payload: concat(
      concat(u8(IPV4), u8(0), u8(0), u8(0), u8(MAIN_TABLE), u8(PROTOCOL_BOOT), u8(0), u8(UNICAST), u32(0)),
      attribute(routeAttribute.gateway, be32(parseIpv4(gateway))),
    ),
  };
}

/** Asks for every IPv4 route. */
export function dumpRoutes(): NetlinkMessage {
  return {
    label: 'list routes',
    type: GET_ROUTE,
    flags: messageFlags.dump,
    payload: concat(u8(IPV4), new Uint8Array(11)),
  };
}

/** A route to a subnet; prefix length 0 is the default route. */
export interface Route extends Subnet {
  /** Index of the interface that it leaves through. */
  readonly index: number | undefined;
}

/** Reads the IPv4 routes out of an answer; those of the local table (own addresses, broadcasts) are left out. */
export function parseRoutes(messages: readonly ReceivedMessage[]): Route[] {
  return messages.filter((message) => message.type === NEW_ROUTE).flatMap(parseRoute);
}

function parseRoute({ payload }: ReceivedMessage): Route[] {
  if (payload.length < INFO_BYTES) throw malformed('short route message');
  if (payload[0] !== IPV4 || payload[4] === LOCAL_TABLE) return [];
  const attributes = parseAttributes(payload.subarray(INFO_BYTES));
  const destination = attributes.get(routeAttribute.destination);
  const outgoing = attributes.get(routeAttribute.outgoing);
  return [
    {
      base: destination?.length === 4 ? readBe32(destination) : 0,
      prefixLength: payload[1] ?? 0,
      index: outgoing?.length === 4 ? readU32(outgoing) : undefined,
    },
  ];
}
