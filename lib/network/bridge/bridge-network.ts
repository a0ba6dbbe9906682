import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import { type AddressPool, createAddressPool } from '../address-pool.js';
import { formatSubnet, networkOf, parseSubnet, type Subnet } from '../ipv4.js';
import type { PathLock } from '../path-lock.js';
import type { BridgeInterface } from './bridge-interface.js';
import { chooseSubnet, conflicts } from './choose-subnet.js';
import type { EndpointStore } from './endpoint-store.js';
import type { Firewall } from './firewall.js';
import { type NetworkRecord, readNetworkRecord, writeNetworkRecord } from './network-record.js';
import { type PublishedElement, publishedElement } from './published-ports.js';

export interface BridgeNetworkParts {
  /** Name of the bridge. */
  readonly name: string;
  readonly directory: string;
  readonly endpointsDirectory: string;
  readonly candidates: readonly Subnet[];
  readonly bridge: BridgeInterface;
  readonly firewall: Firewall;
  readonly endpoints: EndpointStore;
  readonly lock: PathLock;
}

/** A leased address and the network as it is while the lease is held. */
export interface NetworkLease {
  readonly address: string;
  readonly subnet: Subnet;
  readonly network: NetworkRecord;
}

/**
 * The life of a bridge network on the host: made at the first lease, removed when nobody has one.
 *
 * A leased address keeps the network alive: the pool closes only while it is empty, and only a closed pool's network is
 * removed. So leasing takes no lock unless it finds the pool closed, or bridge or table gone.
 */
export interface BridgeNetwork {
  lease(containerId: string, signal: AbortSignal | undefined): Promise<NetworkLease>;
  /** The subnet that is remembered; undefined before there was one. */
  subnet(): Subnet | undefined;
  /** The pool of the subnet that is remembered; undefined before there was one. */
  pool(): AddressPool | undefined;
  /** What the records say should be published. */
  expectedElements(): PublishedElement[];
  /** Runs `work` while no process makes, sweeps or removes the network. */
  locked<T>(work: () => Promise<T>): Promise<T>;
  /** Makes or repairs bridge and table. Only under the lock. */
  makeReady(): Promise<NetworkRecord>;
  /** Removes bridge and table unless an address is leased. Only under the lock. */
  removeUnlessUsed(): Promise<boolean>;
}

/** Attempts to lease while other processes remove and remake the network. */
const ATTEMPTS = 8;

export function createBridgeNetwork(parts: BridgeNetworkParts): BridgeNetwork {
  const { name, directory, bridge, firewall, endpoints } = parts;
  const recordPath = join(directory, 'record.json');
  const poolOf = (subnet: Subnet): AddressPool => createAddressPool(directory, subnet, 'bridge');
  const isReady = (): boolean => bridge.exists() && firewall.exists();

  function locked<T>(work: () => Promise<T>): Promise<T> {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return parts.lock.withLock(join(directory, 'lock'), work);
  }

  async function lease(containerId: string, signal: AbortSignal | undefined): Promise<NetworkLease> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      signal?.throwIfAborted();
      const remembered = readNetworkRecord(recordPath) ?? (await locked(makeReady));
      const leased = await leaseIn(remembered, containerId);
      if (leased !== undefined) return leased;
    }
    throw new EngineError('INTERNAL', { what: `network ${name} was removed ${ATTEMPTS} times while it was joined` });
  }

  async function leaseIn(remembered: NetworkRecord, containerId: string): Promise<NetworkLease | undefined> {
    const subnet = parseSubnet(remembered.subnet);
    const pool = poolOf(subnet);
    const address = pool.lease(containerId);
    if (address === undefined) {
      await locked(makeReady);
      return undefined;
    }
    try {
      const network = isReady() ? readNetworkRecord(recordPath) : await locked(makeReady);
      if (network?.subnet === remembered.subnet) return { address, subnet, network };
    } catch (error) {
      pool.release({ address, owner: containerId });
      throw error;
    }
    pool.release({ address, owner: containerId });
    return undefined;
  }

  async function makeReady(): Promise<NetworkRecord> {
    const remembered = readNetworkRecord(recordPath);
    const network = remembered !== undefined && isReady() ? remembered : await make(remembered);
    endpoints.open();
    poolOf(parseSubnet(network.subnet)).open();
    return network;
  }

  async function make(remembered: NetworkRecord | undefined): Promise<NetworkRecord> {
    const previous = remembered === undefined ? undefined : parseSubnet(remembered.subnet);
    const inUse = previous !== undefined && poolOf(previous).leases().length > 0;
    const made = inUse ? makeBridge(previous) : await makeBridgeWithoutConflict(previous);
    await firewall.replace(name, made.subnet, expectedElements());
    const network: NetworkRecord = { version: 1, ...made, subnet: formatSubnet(made.subnet) };
    await writeNetworkRecord(recordPath, network);
    return network;
  }

  /** Looks again after the address has been added: an engine with another root may have chosen the same subnet. */
  async function makeBridgeWithoutConflict(preferred: Subnet | undefined): Promise<MadeBridge> {
    await bridge.remove();
    let left = [...(preferred === undefined ? [] : [preferred]), ...parts.candidates];
    for (;;) {
      const subnet = chooseSubnet(left, bridge.usedByOthers());
      if (subnet === undefined) throw noSubnet(parts.candidates);
      const made = makeBridge(subnet);
      if (!conflicts(subnet, bridge.usedByOthers())) return made;
      await bridge.remove();
      left = rotated(
        left.filter((each) => networkOf(each) !== networkOf(subnet)),
        name,
      );
    }
  }

  function makeBridge(subnet: Subnet): MadeBridge {
    const mtu = bridge.suitableMtu();
    return { subnet, mtu, bridgeIndex: bridge.ensure(subnet, mtu) };
  }

  function subnet(): Subnet | undefined {
    const remembered = readNetworkRecord(recordPath);
    return remembered && parseSubnet(remembered.subnet);
  }

  function expectedElements(): PublishedElement[] {
    return endpoints.ids().flatMap((id) => {
      const endpoint = endpoints.read(id);
      return endpoint?.ports.map((mapping) => publishedElement(mapping, endpoint.address)) ?? [];
    });
  }

  return {
    lease,
    locked,
    makeReady,
    expectedElements,
    subnet,
    pool: () => {
      const remembered = subnet();
      return remembered && poolOf(remembered);
    },
    removeUnlessUsed: async () => {
      const remembered = readNetworkRecord(recordPath);
      if (remembered !== undefined && !poolOf(parseSubnet(remembered.subnet)).close()) return false;
      rmSync(parts.endpointsDirectory, { recursive: true, force: true });
      await bridge.remove();
      await firewall.remove();
      return true;
    },
  };
}

interface MadeBridge {
  readonly subnet: Subnet;
  readonly mtu: number;
  readonly bridgeIndex: number;
}

/** Two engines that collided go on at different places of the list, so that they do not collide again in step. */
function rotated<T>(list: readonly T[], name: string): T[] {
  const start = list.length === 0 ? 0 : Number.parseInt(name.slice(-6), 16) % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

function noSubnet(candidates: readonly Subnet[]): EngineError {
  return new EngineError('SUBNET_CONFLICT', {
    subnet: candidates.map(formatSubnet).join(', '),
    with: 'addresses and routes of this host',
  });
}
