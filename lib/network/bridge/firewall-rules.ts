import { networkOf, parseIpv4, type Subnet } from '../ipv4.js';
import { be32, u32 } from '../netlink/bytes.js';
import type { NetlinkMessage } from '../netlink/message.js';
import {
  ADDRESS_TYPE_LOCAL,
  compare,
  conntrackHas,
  conntrackState,
  type Expression,
  fibAddressType,
  interfaceIs,
  lookup,
  mask,
  masquerade,
  meta,
  nat,
  payload,
  STATUS_DESTINATION_NAT,
  smallRegister,
  verdict,
} from '../netlink/nftables/expression.js';
import type { TableName } from '../netlink/nftables/nft-message.js';
import { createSet } from '../netlink/nftables/set.js';
import { appendRule, createChain, createTable, deleteTable } from '../netlink/nftables/table.js';
import { publishMaps } from './published-ports.js';

const SOURCE_OFFSET = 12;
const DESTINATION_OFFSET = 16;
const DESTINATION_PORT_OFFSET = 2;
const LOOPBACK = { base: parseIpv4('127.0.0.0'), prefixLength: 8 };

/**
 * The whole table of a bridge network as changes of one transaction; a table of that name is replaced.
 *
 * It lives beside the tables of other programs: a packet must be let through by all of them.
 */
export function firewallTable(table: TableName, bridge: string, subnet: Subnet): NetlinkMessage[] {
  const chains = [
    guardChain(table),
    ...publishChains(table),
    sourceChain(table, bridge, subnet),
    forwardChain(table, bridge),
  ];
  return [
    createTable(table),
    deleteTable(table),
    createTable(table),
    createSet(table, publishMaps.any),
    createSet(table, publishMaps.specific),
    ...chains.flat(),
  ];
}

/**
 * Ports that are published on 127.0.0.1 are reached by rewriting the destination before it is routed, which would
 * let other hosts reach them too. Before anything is rewritten, loopback addresses from elsewhere are dropped.
 */
function guardChain(table: TableName): NetlinkMessage[] {
  const name = 'guard';
  const notLoopback = interfaceIs('iifname', '!=', 'lo');
  return [
    createChain(table, { name, type: 'filter', hook: 'prerouting', priority: -300, policy: 'accept' }),
    appendRule(table, name, [...notLoopback, ...addressIn(DESTINATION_OFFSET, LOOPBACK), verdict('drop')]),
    appendRule(table, name, [...notLoopback, ...addressIn(SOURCE_OFFSET, LOOPBACK), verdict('drop')]),
  ];
}

/** Published ports: for packets that arrive, and for those of the host itself. */
function publishChains(table: TableName): NetlinkMessage[] {
  const rules = [onSpecificAddress(), onAnyAddress()];
  return (['prerouting', 'output'] as const).flatMap((hook) => {
    const name = `publish-${hook}`;
    return [
      createChain(table, { name, type: 'nat', hook, priority: -100, policy: 'accept' }),
      ...rules.map((rule) => appendRule(table, name, rule)),
    ];
  });
}

function onSpecificAddress(): Expression[] {
  return [
    meta('l4proto', smallRegister(0)),
    payload('network', DESTINATION_OFFSET, 4, smallRegister(1)),
    payload('transport', DESTINATION_PORT_OFFSET, 2, smallRegister(2)),
    lookup(publishMaps.specific.name, 'map'),
    nat('destination'),
  ];
}

function onAnyAddress(): Expression[] {
  return [
    fibAddressType('daddr'),
    compare('==', u32(ADDRESS_TYPE_LOCAL)),
    meta('l4proto', smallRegister(0)),
    payload('transport', DESTINATION_PORT_OFFSET, 2, smallRegister(1)),
    lookup(publishMaps.any.name, 'map'),
    nat('destination'),
  ];
}

/**
 * The source becomes the host's when containers go outside; when a container reaches a published port of its own
 * network, so that the answer comes back this way; and when the host reaches one through a loopback address.
 */
function sourceChain(table: TableName, bridge: string, subnet: Subnet): NetlinkMessage[] {
  const name = 'source';
  const fromContainer = addressIn(SOURCE_OFFSET, subnet);
  const toBridge = interfaceIs('oifname', '==', bridge);
  const rewritten = conntrackHas('status', STATUS_DESTINATION_NAT);
  return [
    createChain(table, { name, type: 'nat', hook: 'postrouting', priority: 100, policy: 'accept' }),
    appendRule(table, name, [...fromContainer, ...interfaceIs('oifname', '!=', bridge), masquerade()]),
    appendRule(table, name, [...toBridge, ...fromContainer, ...rewritten, masquerade()]),
    appendRule(table, name, [...toBridge, ...addressIn(SOURCE_OFFSET, LOOPBACK), masquerade()]),
  ];
}

/** Into the bridge go answers, published ports and containers of the bridge; a route to it alone opens nothing. */
function forwardChain(table: TableName, bridge: string): NetlinkMessage[] {
  const name = 'forward';
  const toBridge = interfaceIs('oifname', '==', bridge);
  const answers = conntrackHas('state', conntrackState.established | conntrackState.related);
  const rewritten = conntrackHas('status', STATUS_DESTINATION_NAT);
  return [
    createChain(table, { name, type: 'filter', hook: 'forward', priority: 0, policy: 'accept' }),
    appendRule(table, name, [...toBridge, ...answers, verdict('accept')]),
    appendRule(table, name, [...toBridge, ...rewritten, verdict('accept')]),
    appendRule(table, name, [...toBridge, ...interfaceIs('iifname', '==', bridge), verdict('accept')]),
    appendRule(table, name, [...toBridge, verdict('drop')]),
  ];
}

/** Ends the rule unless the address at this offset of the IPv4 header is in the subnet. */
function addressIn(offset: number, subnet: Subnet): Expression[] {
  const bits = subnet.prefixLength === 0 ? 0 : (0xffffffff << (32 - subnet.prefixLength)) >>> 0;
  return [payload('network', offset, 4), mask(be32(bits)), compare('==', be32(networkOf(subnet)))];
}
