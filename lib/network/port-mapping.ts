import { isIPv4, isIPv6 } from 'node:net';
import { EngineError } from '../core/errors/engine-error.js';

/** A published port. */
export interface PortMapping {
  /** Host address; `0.0.0.0` means every IPv4 address, loopback included. */
  readonly hostAddress: string;
  /** 0 until a free one has been chosen. */
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp';
}

const MAX_PORT = 65_535;
const ANY_ADDRESS = '0.0.0.0';

/**
 * Reads port mappings in Docker's notation: `[[ADDRESS:][HOST_PORT]:]CONTAINER_PORT[/tcp|/udp]`.
 *
 * Ports may be ranges of equal length (`8000-8002:80-82`), which give one mapping each. Without a host port a free one
 * is chosen later. IPv6 addresses stand in brackets. Default address: `0.0.0.0`; default protocol: `tcp`.
 *
 * @throws EngineError `INVALID_PORT_MAPPING`
 * @see https://docs.docker.com/reference/cli/docker/container/run/#publish
 */
export function parsePortMappings(texts: readonly string[]): PortMapping[] {
  const mappings = texts.flatMap(parsePortMapping);
  refuseDuplicates(mappings);
  return mappings;
}

/** `127.0.0.1:8080:80/tcp`; a host port that is still to be chosen is left out, as in `127.0.0.1::80/tcp`. */
export function formatPortMapping({ hostAddress, hostPort, containerPort, protocol }: PortMapping): string {
  const address = isIPv6(hostAddress) ? `[${hostAddress}]` : hostAddress;
  return `${address}:${hostPort === 0 ? '' : hostPort}:${containerPort}/${protocol}`;
}

function parsePortMapping(text: string): PortMapping[] {
  const invalid = (reason: string): never => {
    throw new EngineError('INVALID_PORT_MAPPING', { mapping: text, reason });
  };
  const slash = text.indexOf('/');
  const protocol = slash < 0 ? 'tcp' : text.slice(slash + 1).toLowerCase();
  if (protocol !== 'tcp' && protocol !== 'udp') return invalid(`protocol must be tcp or udp, not '${protocol}'`);

  const { address, host, container } = splitFields(slash < 0 ? text : text.slice(0, slash), invalid);
  const containerPorts = parseRange(container, 'container port', invalid);
  const hostPorts = host === '' ? undefined : parseRange(host, 'host port', invalid);
  if (hostPorts !== undefined && hostPorts.length !== containerPorts.length) {
    return invalid('the ranges of host and container ports differ in length');
  }
  return containerPorts.map((containerPort, index) => ({
    hostAddress: address,
    hostPort: hostPorts?.[index] ?? 0,
    containerPort,
    protocol,
  }));
}

interface Fields {
  readonly address: string;
  readonly host: string;
  readonly container: string;
}

function splitFields(text: string, invalid: (reason: string) => never): Fields {
  const bracketed = /^\[([^\]]*)\]:([^:]*):([^:]*)$/.exec(text);
  if (bracketed !== null) {
    const [, address = '', host = '', container = ''] = bracketed;
    return isIPv6(address) ? { address, host, container } : invalid(`'${address}' is no IPv6 address`);
  }
  const parts = text.split(':');
  if (parts.length > 3) return invalid('too many colons; an IPv6 address stands in brackets');
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  const address = parts.pop() ?? '';
  if (address !== '' && !isIPv4(address)) return invalid(`'${address}' is no IP address`);
  return { address: address === '' ? ANY_ADDRESS : address, host, container };
}

function parseRange(text: string, what: string, invalid: (reason: string) => never): number[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return invalid(`${what} '${text}' is no port or range of ports`);
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  if (first < 1 || last > MAX_PORT) return invalid(`${what} must be between 1 and ${MAX_PORT}`);
  if (last < first) return invalid(`${what} range '${text}' ends before it starts`);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function refuseDuplicates(mappings: readonly PortMapping[]): void {
  const seen = new Set<string>();
  for (const mapping of mappings) {
    const { hostAddress, hostPort, protocol } = mapping;
    const key = `${hostAddress} ${hostPort} ${protocol}`;
    if (hostPort !== 0 && seen.has(key)) {
      throw new EngineError('INVALID_PORT_MAPPING', {
        mapping: formatPortMapping(mapping),
        reason: 'the host port is published twice',
      });
    }
    seen.add(key);
  }
}
