import { constants } from 'node:os';
import { CONTAINER_NETNS_FD, type PlanOperation } from '../../runtime/launch-plan.js';
import { disableIpv6, lowPortsForEverybody } from '../namespace-sysctls.js';
import { batch } from '../netlink/nftables/batch.js';
import type { TableName } from '../netlink/nftables/nft-message.js';
import { addAddress } from '../netlink/route/address.js';
import { allowHairpin, createVeth, deleteLink, joinBridge, setLinkUp } from '../netlink/route/link.js';
import { addDefaultRoute } from '../netlink/route/route.js';
import { netlinkOperation } from '../netlink-operation.js';
import type { Endpoint, EndpointAddress } from '../network-driver.js';
import type { PortMapping } from '../port-mapping.js';
import { publish, publishedElement, unpublish, unpublishTolerates } from './published-ports.js';

const { ENODEV } = constants.errno;
const LOOPBACK_INDEX = 1;
const CONTAINER_INTERFACE = 'eth0';
/**
 * The container's interface gets an index that is known beforehand, so that its address can be added without asking.
 * It is far above those that hosts reach by counting: the kernel takes a pair with equal indices for one interface
 * and then waits up to a second before it tells the bridge that the link is up.
 */
const CONTAINER_INTERFACE_INDEX = 1_000_000;

export interface EndpointPlanInput {
  readonly table: TableName;
  /** Interface index of the bridge. */
  readonly bridgeIndex: number;
  readonly mtu: number;
  /** Name of the host's end of the pair. */
  readonly vethName: string;
  readonly address: EndpointAddress & { readonly gateway: string };
  readonly ports: readonly PortMapping[];
  /** False where the kernel has no IPv6. */
  readonly ipv6: boolean;
}

/** What the launcher does to connect a container to a bridge. Pure. */
export function endpointPlan(input: EndpointPlanInput): Endpoint['plan'] {
  const { table, address, ports } = input;
  const elements = ports.map((mapping) => publishedElement(mapping, address.address));
  return {
    prepare: ports.map(({ protocol, hostAddress, hostPort }): PlanOperation => {
      return { op: 'reserve-port', protocol, address: hostAddress, port: hostPort };
    }),
    parent: [
      // That of an earlier run, which the kernel may still be taking apart.
      netlinkOperation('route', [deleteLink(input.vethName)], [ENODEV]),
      netlinkOperation('route', [
        createVeth({
          name: input.vethName,
          mtu: input.mtu,
          inner: {
            name: CONTAINER_INTERFACE,
            mac: address.macAddress,
            index: CONTAINER_INTERFACE_INDEX,
            namespaceFd: CONTAINER_NETNS_FD,
          },
        }),
        joinBridge(input.vethName, input.bridgeIndex),
        // With br_netfilter a container that calls its own published port is answered by the bridge, not by a route.
        ...(ports.length === 0 ? [] : [allowHairpin(input.vethName)]),
      ]),
      ...(elements.length === 0 ? [] : [netlinkOperation('netfilter', batch(publish(table, elements)))]),
    ],
    child: [
      ...(input.ipv6 ? disableIpv6(CONTAINER_INTERFACE) : []),
      lowPortsForEverybody,
      netlinkOperation('route', [
        setLinkUp(LOOPBACK_INDEX),
        addAddress({ index: CONTAINER_INTERFACE_INDEX, ...address }),
        setLinkUp(CONTAINER_INTERFACE_INDEX),
        addDefaultRoute(address.gateway),
      ]),
    ],
    // The pair needs no clean-up: it goes with the container's namespace, in the background. Deleting it here would
    // hold the end of the container up for some 27 ms.
    cleanup: elements.map((element) => netlinkOperation('netfilter', unpublish(table, element), unpublishTolerates)),
  };
}
