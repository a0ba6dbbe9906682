import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { EngineError } from '../../core/errors/engine-error.js';
import { formatIpv4, networkOf, type Subnet } from '../ipv4.js';
import { addAddress, dumpAddresses, parseAddresses } from '../netlink/route/address.js';
import {
  createBridge,
  deleteLink,
  dumpLinks,
  getLink,
  type Link,
  parseLinks,
  setLinkUp,
} from '../netlink/route/link.js';
import { macForIpv4 } from '../netlink/route/mac-address.js';
import { dumpRoutes, parseRoutes } from '../netlink/route/route.js';
import type { NetlinkClient } from '../netlink-client.js';
import { isVethName } from './bridge-names.js';

const { EEXIST, ENODEV } = constants.errno;
const ETHERNET_MTU = 1500;
const SYSCTL = '/proc/sys/net';

/** The bridge of a network on the host. @throws EngineError `NETLINK_FAILED`, `NETWORK_UNSUPPORTED`. */
export interface BridgeInterface {
  /** True while an interface of this name exists. Costs one system call and waits for nobody. */
  exists(): boolean;
  /** Makes it ready with the gateway's address and returns its index; one that is there is completed. */
  ensure(subnet: Subnet, mtu: number): number;
  /** Deletes it; a missing one is fine. */
  remove(): Promise<void>;
  /** Everything that the host reaches by other interfaces. */
  usedByOthers(): Subnet[];
  /** The largest packet that fits through the way out; at most 1500 bytes. */
  suitableMtu(): number;
  /** Names of the host's ends of container links in the bridge. */
  containerLinks(): string[];
  /** Deletes a container link; a missing one is fine. */
  removeContainerLink(name: string): Promise<void>;
}

export function createBridgeInterface(netlink: NetlinkClient, name: string): BridgeInterface {
  const links = (): Link[] => parseLinks(netlink.request('route', [dumpLinks()]));
  const find = (): Link | undefined => parseLinks(netlink.request('route', [getLink(name)], [ENODEV]))[0];
  const exists = (): boolean => existsSync(`${SYSCTL}/ipv4/conf/${name}`);
  const remove = async (link: string): Promise<void> => {
    await netlink.requestSlow('route', [deleteLink(link)], [ENODEV]);
  };

  function ensure(subnet: Subnet, mtu: number): number {
    const gateway = formatIpv4(networkOf(subnet) + 1);
    create(netlink, name, macForIpv4(gateway), mtu);
    const link = find();
    if (link === undefined) throw new EngineError('INTERNAL', { what: `bridge ${name} vanished while it was made` });
    setSysctls(name);
    const address = { index: link.index, address: gateway, prefixLength: subnet.prefixLength };
    netlink.request('route', [addAddress(address), setLinkUp(link.index)], [EEXIST]);
    return link.index;
  }

  function usedByOthers(): Subnet[] {
    const own = find()?.index;
    const addresses = parseAddresses(netlink.request('route', [dumpAddresses()]));
    const routes = parseRoutes(netlink.request('route', [dumpRoutes()]));
    return [...addresses, ...routes].filter(({ index }) => index === undefined || index !== own);
  }

  function suitableMtu(): number {
    const routes = parseRoutes(netlink.request('route', [dumpRoutes()]));
    const out = routes.find(({ prefixLength, index }) => prefixLength === 0 && index !== undefined);
    const mtu = links().find(({ index }) => index === out?.index)?.mtu ?? ETHERNET_MTU;
    return Math.min(mtu, ETHERNET_MTU);
  }

  return {
    exists,
    ensure,
    remove: async () => {
      if (exists()) await remove(name);
    },
    usedByOthers,
    suitableMtu,
    containerLinks: () => {
      const all = links();
      const bridge = all.find((link) => link.name === name);
      if (bridge === undefined) return [];
      return all.filter((link) => link.master === bridge.index && isVethName(link.name)).map((link) => link.name);
    },
    removeContainerLink: remove,
  };
}

function create(netlink: NetlinkClient, name: string, mac: string, mtu: number): void {
  try {
    netlink.request('route', [createBridge({ name, mac, mtu })], [EEXIST]);
  } catch (error) {
    if (!EngineError.is(error, 'NETLINK_FAILED') || error.data.errno !== 'EOPNOTSUPP') throw error;
    const reason = 'the kernel cannot make bridges';
    throw new EngineError('NETWORK_UNSUPPORTED', { what: `bridge ${name}`, reason }, { cause: error });
  }
}

/**
 * Before the bridge is up, so that it never has an IPv6 address. Packets from loopback addresses may be routed to it
 * for ports that are published on 127.0.0.1; the guard chain of the firewall keeps others out.
 */
function setSysctls(name: string): void {
  const ipv6 = `${SYSCTL}/ipv6/conf/${name}`;
  if (existsSync(ipv6)) {
    setSysctl(`${ipv6}/disable_ipv6`, '1');
    setSysctl(`${ipv6}/accept_ra`, '0');
  }
  setSysctl(`${SYSCTL}/ipv4/conf/${name}/route_localnet`, '1');
  setSysctl(`${SYSCTL}/ipv4/ip_forward`, '1');
}

/** Synchronous, since /proc/sys/net belongs to the network namespace of the thread that opens it. */
function setSysctl(path: string, value: string): void {
  try {
    if (readFileSync(path, 'utf8').trim() === value) return;
    writeFileSync(path, value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError('NETWORK_UNSUPPORTED', { what: `${path} = ${value}`, reason }, { cause: error });
  }
}
