import { attribute, nested, parseAttributes } from '../attribute.js';
import { concat, cString, readCString, readI32, readU32, u8, u16, u32 } from '../bytes.js';
import { malformed } from '../malformed.js';
import { messageFlags, type NetlinkMessage, type ReceivedMessage } from '../message.js';
import { macBytes } from './mac-address.js';

const NEW_LINK = 16;
const DELETE_LINK = 17;
const GET_LINK = 18;
const UP = 1;
const INFO_BYTES = 16;

const linkAttribute = { address: 1, name: 3, mtu: 4, master: 10, linkInfo: 18, netNamespaceFd: 28 } as const;
const infoAttribute = { kind: 1, data: 2, memberKind: 4, memberData: 5 } as const;
const VETH_PEER = 1;
const BRIDGE_STP_STATE = 5;
const BRIDGE_PORT_HAIRPIN = 4;

const make = messageFlags.acknowledge | messageFlags.create | messageFlags.exclusive;

/** Makes a bridge without spanning tree, down. @see rtnetlink(7) */
export function createBridge(options: {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
}): NetlinkMessage {
  return {
    label: `create bridge ${options.name}`,
    type: NEW_LINK,
    flags: make,
    payload: concat(
      info({}),
      attribute(linkAttribute.name, cString(options.name)),
      attribute(linkAttribute.address, macBytes(options.mac)),
      attribute(linkAttribute.mtu, u32(options.mtu)),
      nested(
        linkAttribute.linkInfo,
        attribute(infoAttribute.kind, cString('bridge')),
        nested(infoAttribute.data, attribute(BRIDGE_STP_STATE, u32(0))),
      ),
    ),
  };
}

export interface VethOptions {
  /** Name of the end in the namespace of the caller; the kernel chooses its index. */
  readonly name: string;
  readonly mtu: number;
  /** The end in another network namespace. */
  readonly inner: {
    readonly name: string;
    readonly mac: string;
    readonly index: number;
    /** Number of an open descriptor, in the process that sends this, of the network namespace. */
    readonly namespaceFd: number;
  };
}

/**
 * Makes a veth pair with both ends down, one here and one in another network namespace.
 *
 * The inner end is the one that the message is about, since the kernel lets only that one choose its index.
 * @see veth(4)
 */
export function createVeth({ name, mtu, inner }: VethOptions): NetlinkMessage {
  const outerEnd = concat(
    info({}),
    attribute(linkAttribute.name, cString(name)),
    attribute(linkAttribute.mtu, u32(mtu)),
  );
  return {
    label: `create interface pair ${name} and ${inner.name}`,
    type: NEW_LINK,
    flags: make,
    payload: concat(
      info({ index: inner.index }),
      attribute(linkAttribute.name, cString(inner.name)),
      attribute(linkAttribute.address, macBytes(inner.mac)),
      attribute(linkAttribute.mtu, u32(mtu)),
      attribute(linkAttribute.netNamespaceFd, u32(inner.namespaceFd)),
      nested(
        linkAttribute.linkInfo,
        attribute(infoAttribute.kind, cString('veth')),
        nested(infoAttribute.data, nested(VETH_PEER, outerEnd)),
      ),
    ),
  };
}

/** Puts an interface into the bridge with this index and sets it up. */
export function joinBridge(name: string, bridgeIndex: number): NetlinkMessage {
  return {
    label: `add interface ${name} to its bridge`,
    type: NEW_LINK,
    flags: messageFlags.acknowledge,
    payload: concat(
      info({ up: true }),
      attribute(linkAttribute.name, cString(name)),
      attribute(linkAttribute.master, u32(bridgeIndex)),
    ),
  };
}

/** Lets the bridge send a packet out through the port that it came in by. */
export function allowHairpin(name: string): NetlinkMessage {
  return {
    label: `allow hairpin on interface ${name}`,
    type: NEW_LINK,
    flags: messageFlags.acknowledge,
    payload: concat(
      info({}),
      attribute(linkAttribute.name, cString(name)),
      nested(
        linkAttribute.linkInfo,
        attribute(infoAttribute.memberKind, cString('bridge')),
        nested(infoAttribute.memberData, attribute(BRIDGE_PORT_HAIRPIN, u8(1))),
      ),
    ),
  };
}

/** Sets an interface up. */
export function setLinkUp(index: number): NetlinkMessage {
  return {
    label: `set interface ${index} up`,
    type: NEW_LINK,
    flags: messageFlags.acknowledge,
    payload: info({ index, up: true }),
  };
}

/** Deletes an interface; of a veth pair both ends, at once. */
export function deleteLink(name: string): NetlinkMessage {
  return {
    label: `delete interface ${name}`,
    type: DELETE_LINK,
    flags: messageFlags.acknowledge,
    payload: concat(info({}), attribute(linkAttribute.name, cString(name))),
  };
}

/** Asks for one interface. */
export function getLink(name: string): NetlinkMessage {
  return {
    label: `find interface ${name}`,
    type: GET_LINK,
    flags: messageFlags.acknowledge,
    payload: concat(info({}), attribute(linkAttribute.name, cString(name))),
  };
}

/** Asks for every interface. */
export function dumpLinks(): NetlinkMessage {
  return { label: 'list interfaces', type: GET_LINK, flags: messageFlags.dump, payload: info({}) };
}

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly mtu: number;
  /** Index of the bridge (or other master) that it belongs to. */
  readonly master: number | undefined;
  /** `bridge`, `veth`, …; undefined for hardware. */
  readonly kind: string | undefined;
}

/** Reads the interfaces out of an answer; other messages are ignored. */
export function parseLinks(messages: readonly ReceivedMessage[]): Link[] {
  return messages.filter((message) => message.type === NEW_LINK).map(parseLink);
}

function parseLink({ payload }: ReceivedMessage): Link {
  if (payload.length < INFO_BYTES) throw malformed('short interface message');
  const attributes = parseAttributes(payload.subarray(INFO_BYTES));
  const linkInfo = attributes.get(linkAttribute.linkInfo);
  const kind = linkInfo === undefined ? undefined : parseAttributes(linkInfo).get(infoAttribute.kind);
  const mtu = attributes.get(linkAttribute.mtu);
  const master = attributes.get(linkAttribute.master);
  return {
    index: readI32(payload, 4),
    name: readCString(attributes.get(linkAttribute.name) ?? new Uint8Array()),
    up: (readU32(payload, 8) & UP) !== 0,
    mtu: mtu?.length === 4 ? readU32(mtu) : 0,
    master: master?.length === 4 ? readU32(master) : undefined,
    kind: kind === undefined ? undefined : readCString(kind),
  };
}

/** `struct ifinfomsg`. */
function info({ index = 0, up = false }: { readonly index?: number; readonly up?: boolean }): Uint8Array {
  const flags = up ? UP : 0;
  return concat(u8(0), u8(0), u16(0), u32(index), u32(flags), u32(flags));
}
