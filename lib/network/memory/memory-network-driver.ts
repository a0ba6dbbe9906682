import { EngineError } from '../../core/errors/engine-error.js';
import { formatIpv4, parseIpv4 } from '../ipv4.js';
import { macForIpv4 } from '../netlink/route/mac-address.js';
import type { EndpointAddress, NetworkDriver } from '../network-driver.js';
import type { PortMapping } from '../port-mapping.js';

const GATEWAY = parseIpv4('10.255.0.1');
const LAST = parseIpv4('10.255.255.254');
const FIRST_CHOSEN_PORT = 49_152;

interface Held {
  readonly address: number;
  readonly ports: readonly PortMapping[];
}

/** A fake: gives out addresses and ports like a bridge, and connects nothing. */
export function createMemoryNetworkDriver(): NetworkDriver {
  const held = new Map<string, Held>();
  let last = GATEWAY;

  function nextAddress(): number {
    const used = new Set([...held.values()].map(({ address }) => address));
    for (let step = GATEWAY; step < LAST; step += 1) {
      last = last >= LAST ? GATEWAY + 1 : last + 1;
      if (!used.has(last)) return last;
    }
    throw new EngineError('ADDRESS_POOL_EXHAUSTED', { network: 'memory', subnet: '10.255.0.0/16' });
  }

  function choosePorts(wanted: readonly PortMapping[]): PortMapping[] {
    const taken = new Set([...held.values()].flatMap(({ ports }) => ports.map(portKey)));
    return wanted.map((mapping) => {
      let chosen = mapping.hostPort === 0 ? { ...mapping, hostPort: FIRST_CHOSEN_PORT } : mapping;
      while (mapping.hostPort === 0 && taken.has(portKey(chosen)))
        chosen = { ...chosen, hostPort: chosen.hostPort + 1 };
      if (taken.has(portKey(chosen))) throw portTaken(chosen);
      taken.add(portKey(chosen));
      return chosen;
    });
  }

  const addressOf = (address: number): EndpointAddress => {
    const text = formatIpv4(address);
    return { address: text, prefixLength: 16, gateway: formatIpv4(GATEWAY), macAddress: macForIpv4(text) };
  };

  return {
    name: 'memory',
    attach: async ({ containerId, ports: wanted, signal }) => {
      signal?.throwIfAborted();
      const ports = choosePorts(wanted);
      const address = nextAddress();
      held.set(containerId, { address, ports });
      return {
        namespace: 'new',
        addresses: [addressOf(address)],
        ports,
        plan: { prepare: [], parent: [], child: [], cleanup: [] },
      };
    },
    inspect: async (containerId) => {
      const endpoint = held.get(containerId);
      return endpoint && { addresses: [addressOf(endpoint.address)], ports: endpoint.ports };
    },
    detach: async (containerId) => void held.delete(containerId),
    sweep: async (isAlive) => {
      for (const id of [...held.keys()]) if (!(await isAlive(id))) held.delete(id);
    },
  };
}

const portKey = ({ protocol, hostPort }: PortMapping): string => `${protocol} ${hostPort}`;

function portTaken({ hostAddress: address, hostPort: port, protocol }: PortMapping): EngineError {
  return new EngineError('PORT_TAKEN', { address, port, protocol });
}
