import { parseIpv4 } from '../../ipv4.js';

/** The six bytes of `02:00:ac:1e:00:01`. */
export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(':').map((each) => Number.parseInt(each, 16)));
}

/**
 * A locally administered MAC address made from an IPv4 address.
 *
 * An address that is given to another container keeps its MAC address, so that no neighbour table goes stale.
 */
export function macForIpv4(address: string): string {
  const value = parseIpv4(address);
  const bytes = [24, 16, 8, 0].map((shift) => ((value >>> shift) & 0xff).toString(16).padStart(2, '0'));
  return ['02', '54', ...bytes].join(':');
}
