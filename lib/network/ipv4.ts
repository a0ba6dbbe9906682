import { isIPv4 } from 'node:net';
import { EngineError } from '../core/errors/engine-error.js';

/** A range of IPv4 addresses. `base` is any address in it, as a number below 2³². */
export interface Subnet {
  readonly base: number;
  readonly prefixLength: number;
}

/** `172.30.0.1` as a number. @throws EngineError `INVALID_OPTION` naming `option`. */
export function parseIpv4(text: string, option = 'address'): number {
  if (!isIPv4(text)) throw new EngineError('INVALID_OPTION', { option, expected: 'an IPv4 address', got: text });
  return text.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

export function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
}

/** `172.30.0.0/16`. @throws EngineError `INVALID_OPTION` naming `option`; host bits must be zero. */
export function parseSubnet(text: string, option = 'subnet'): Subnet {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(text);
  const prefixLength = Number(match?.[2]);
  const base = isIPv4(match?.[1] ?? '') ? parseIpv4(match?.[1] ?? '') : Number.NaN;
  if (Number.isNaN(base) || prefixLength > 32 || networkOf({ base, prefixLength }) !== base) {
    throw new EngineError('INVALID_OPTION', { option, expected: 'a subnet like 172.30.0.0/16', got: text });
  }
  return { base, prefixLength };
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatIpv4(networkOf(subnet))}/${subnet.prefixLength}`;
}

/** The first address of the subnet: its own name. */
export function networkOf({ base, prefixLength }: Subnet): number {
  return prefixLength === 0 ? 0 : (base & (0xffffffff << (32 - prefixLength))) >>> 0;
}

/** The last address of the subnet: its broadcast address. */
export function broadcastOf(subnet: Subnet): number {
  return networkOf(subnet) + 2 ** (32 - subnet.prefixLength) - 1;
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return networkOf(a) <= broadcastOf(b) && networkOf(b) <= broadcastOf(a);
}
