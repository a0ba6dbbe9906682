import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Kernel } from '../../kernel/kernel.js';
import { checkContainerId } from '../container-id.js';
import { formatIpv4, networkOf, parseSubnet, type Subnet } from '../ipv4.js';
import { macForIpv4 } from '../netlink/route/mac-address.js';
import { createNetlinkClient, type NetlinkTransport } from '../netlink-client.js';
import type { AttachRequest, Endpoint, EndpointAddress, NetworkDriver } from '../network-driver.js';
import type { PathLock } from '../path-lock.js';
import type { PortMapping } from '../port-mapping.js';
import { createBridgeInterface } from './bridge-interface.js';
import { bridgeNames, vethName } from './bridge-names.js';
import { createBridgeNetwork, type NetworkLease } from './bridge-network.js';
import { defaultSubnets } from './choose-subnet.js';
import { endpointPlan } from './endpoint-plan.js';
import { createEndpointStore } from './endpoint-store.js';
import { createFirewall } from './firewall.js';
import { createHostPorts } from './host-ports.js';
import { publishedElement } from './published-ports.js';
import { sweepBridge } from './sweep-bridge.js';

export interface BridgeNetworkOptions {
  readonly kernel: Pick<Kernel, 'netlink' | 'probePort'>;
  /** Excludes other processes while the network is made, swept or removed; `attach` needs it for nothing else. */
  readonly lock: PathLock;
  /** The engine's root: the names of the bridge and of the firewall table are made from it. */
  readonly root: string;
  /** Where the network keeps its files; made if missing. */
  readonly directory: string;
  /** Subnets to try, in this order. Default: private ones that Docker does not take first. */
  readonly subnets?: readonly string[];
  /** Sends requests for which the kernel takes tens of milliseconds. Default: `kernel.netlink`, which blocks. */
  readonly slowNetlink?: NetlinkTransport;
}

/** The default network: a bridge of its own for each engine root, with address translation to the outside. */
export interface BridgeNetworkDriver extends NetworkDriver {
  /** Removes bridge and firewall table unless a container has an address; false if one has. What is remembered stays. */
  teardownIfUnused(): Promise<boolean>;
}

/** Touches nothing before the first call of a method. */
export function createBridgeNetworkDriver(options: BridgeNetworkOptions): BridgeNetworkDriver {
  const { kernel, root, directory, lock } = options;
  const names = bridgeNames(root);
  const netlink = createNetlinkClient(kernel, options.slowNetlink);
  const bridge = createBridgeInterface(netlink, names.bridge);
  const firewall = createFirewall(netlink, names.table);
  const endpointsDirectory = join(directory, 'endpoints');
  const endpoints = createEndpointStore(endpointsDirectory);
  const hostPorts = createHostPorts(kernel);
  const candidates = options.subnets?.map((text) => parseSubnet(text)) ?? defaultSubnets;
  const network = createBridgeNetwork({
    name: names.bridge,
    directory,
    endpointsDirectory,
    candidates,
    bridge,
    firewall,
    endpoints,
    lock,
  });

  async function attach({ containerId, ports: wanted, signal }: AttachRequest): Promise<Endpoint> {
    checkContainerId(containerId);
    signal?.throwIfAborted();
    if (endpoints.read(containerId) !== undefined) await detach(containerId);
    const ports = hostPorts.claim(wanted);
    try {
      return connect(containerId, await network.lease(containerId, signal), ports);
    } catch (error) {
      hostPorts.release(ports);
      throw error;
    }
  }

  function connect(containerId: string, lease: NetworkLease, ports: readonly PortMapping[]): Endpoint {
    const { address, subnet } = lease;
    try {
      endpoints.write({ version: 1, containerId, address, ports });
    } catch (error) {
      network.pool()?.release({ address, owner: containerId });
      throw error;
    }
    const own = addressIn(subnet, address);
    const plan = endpointPlan({
      table: firewall.table,
      bridgeIndex: lease.network.bridgeIndex,
      mtu: lease.network.mtu,
      vethName: vethName(root, containerId),
      address: own,
      ports,
      ipv6: existsSync('/proc/sys/net/ipv6'),
    });
    return { namespace: 'new', addresses: [own], ports, plan };
  }

  async function inspect(containerId: string): Promise<Pick<Endpoint, 'addresses' | 'ports'> | undefined> {
    const endpoint = endpoints.read(containerId);
    const subnet = network.subnet();
    return endpoint && subnet && { addresses: [addressIn(subnet, endpoint.address)], ports: endpoint.ports };
  }

  async function detach(containerId: string): Promise<void> {
    checkContainerId(containerId);
    const endpoint = endpoints.read(containerId);
    const pool = network.pool();
    if (endpoint === undefined) {
      // An attach that was killed half-way has a lease and no record.
      for (const lease of pool?.leases() ?? []) if (lease.owner === containerId) pool?.release(lease);
      return;
    }
    for (const mapping of endpoint.ports) await firewall.withdraw(publishedElement(mapping, endpoint.address));
    endpoints.remove(containerId);
    pool?.release({ address: endpoint.address, owner: containerId });
    hostPorts.release(endpoint.ports);
  }

  return {
    name: 'bridge',
    attach,
    inspect,
    detach,
    sweep: (isAlive) => network.locked(() => sweepBridge({ root, network, bridge, firewall, endpoints, isAlive })),
    teardownIfUnused: () => network.locked(network.removeUnlessUsed),
  };
}

function addressIn(subnet: Subnet, address: string): EndpointAddress & { readonly gateway: string } {
  const { prefixLength } = subnet;
  return { address, prefixLength, gateway: formatIpv4(networkOf(subnet) + 1), macAddress: macForIpv4(address) };
}
