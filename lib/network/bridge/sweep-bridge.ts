import type { BridgeInterface } from './bridge-interface.js';
import { vethName } from './bridge-names.js';
import type { BridgeNetwork } from './bridge-network.js';
import type { EndpointStore } from './endpoint-store.js';
import type { Firewall } from './firewall.js';
import type { PublishedElement } from './published-ports.js';

export interface SweepInput {
  readonly root: string;
  readonly network: BridgeNetwork;
  readonly bridge: BridgeInterface;
  readonly firewall: Firewall;
  readonly endpoints: EndpointStore;
  readonly isAlive: (containerId: string) => boolean | Promise<boolean>;
}

/**
 * Removes what dead containers have left. Only under the lock of the network.
 *
 * A container that is being attached by another process meanwhile is safe, since it leases its address first: what is
 * found on the host is listed before the leases are, and liveness is asked after that.
 */
export async function sweepBridge(input: SweepInput): Promise<void> {
  const { network, bridge, firewall, endpoints } = input;
  const published = firewall.published();
  const links = bridge.containerLinks();
  const recorded = endpoints.ids();

  const kept = await releaseDead(input);
  for (const id of recorded) if (!kept.has(id)) endpoints.remove(id);

  const expected = new Set(network.expectedElements().map(identity));
  for (const element of published) if (!expected.has(identity(element))) await firewall.withdraw(element);

  const expectedLinks = new Set([...kept].map((id) => vethName(input.root, id)));
  for (const link of links) if (!expectedLinks.has(link)) await bridge.removeContainerLink(link);

  if (kept.size > 0) await network.makeReady();
  else await network.removeUnlessUsed();
}

/** Gives the addresses of dead containers back; returns the ids of the others. */
async function releaseDead({ network, endpoints, isAlive }: SweepInput): Promise<ReadonlySet<string>> {
  const kept = new Set<string>();
  const pool = network.pool();
  for (const lease of pool?.leases() ?? []) {
    if (await isAlive(lease.owner)) kept.add(lease.owner);
    else {
      endpoints.remove(lease.owner);
      pool?.release(lease);
    }
  }
  return kept;
}

function identity({ map, element }: PublishedElement): string {
  return `${map} ${Buffer.from(element.key).toString('hex')} ${Buffer.from(element.data).toString('hex')}`;
}
