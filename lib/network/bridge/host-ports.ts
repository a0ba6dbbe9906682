import { isIPv4 } from 'node:net';
import { EngineError } from '../../core/errors/engine-error.js';
import type { Kernel } from '../../kernel/kernel.js';
import { formatPortMapping, type PortMapping } from '../port-mapping.js';

/** Attempts to find a free port that no other container of this process has been promised. */
const ATTEMPTS = 64;

/** Chooses and checks host ports. A port that was chosen here stays promised until it is released. */
export interface HostPorts {
  /** The mappings with their final host ports. @throws EngineError `PORT_TAKEN`, `INVALID_PORT_MAPPING`, `NETWORK_UNSUPPORTED`. */
  claim(mappings: readonly PortMapping[]): PortMapping[];
  release(mappings: readonly PortMapping[]): void;
}

export function createHostPorts(kernel: Pick<Kernel, 'probePort'>): HostPorts {
  const promised = new Set<string>();

  function claim(mappings: readonly PortMapping[]): PortMapping[] {
    const chosen: PortMapping[] = [];
    try {
      for (const mapping of mappings)
        chosen.push(mapping.hostPort === 0 ? choose(mapping) : checkFree(kernel, mapping));
    } catch (error) {
      release(chosen.filter((_, index) => mappings[index]?.hostPort === 0));
      throw error;
    }
    return chosen;
  }

  function choose(mapping: PortMapping): PortMapping {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const candidate = checkFree(kernel, mapping);
      if (promised.has(promise(candidate))) continue;
      promised.add(promise(candidate));
      return candidate;
    }
    throw new EngineError('PORT_TAKEN', { address: mapping.hostAddress, port: 0, protocol: mapping.protocol });
  }

  function release(mappings: readonly PortMapping[]): void {
    for (const mapping of mappings) promised.delete(promise(mapping));
  }

  return { claim, release };
}

const promise = ({ protocol, hostPort }: PortMapping): string => `${protocol} ${hostPort}`;

function checkFree(kernel: Pick<Kernel, 'probePort'>, mapping: PortMapping): PortMapping {
  const { protocol, hostAddress, hostPort } = mapping;
  if (!isIPv4(hostAddress)) {
    const reason = 'a bridge network has no IPv6 yet';
    throw new EngineError('NETWORK_UNSUPPORTED', { what: `publishing ${formatPortMapping(mapping)}`, reason });
  }
  const port = probe(kernel, mapping);
  if (port === undefined) throw new EngineError('PORT_TAKEN', { address: hostAddress, port: hostPort, protocol });
  return { ...mapping, hostPort: port };
}

function probe(kernel: Pick<Kernel, 'probePort'>, mapping: PortMapping): number | undefined {
  try {
    return kernel.probePort(mapping.protocol, mapping.hostAddress, mapping.hostPort);
  } catch (error) {
    if (!EngineError.is(error, 'SYSTEM_CALL_FAILED') || error.data.errno !== 'EADDRNOTAVAIL') throw error;
    const reason = `${mapping.hostAddress} is no address of this host`;
    throw new EngineError('INVALID_PORT_MAPPING', { mapping: formatPortMapping(mapping), reason }, { cause: error });
  }
}
