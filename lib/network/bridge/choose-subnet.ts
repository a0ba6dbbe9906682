import { overlaps, parseSubnet, type Subnet } from '../ipv4.js';

/** Routes to more than a whole first byte (VPNs split everything in two) are a way to everywhere, not a network. */
const MIN_NETWORK_PREFIX = 8;

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Private subnets in the order in which they are tried; Docker's usual ones (172.17 to 172.19) are left to Docker. */
export const defaultSubnets: readonly Subnet[] = [
  ...range(30, 31).map((n) => `172.${n}.0.0/16`),
  ...range(20, 29).map((n) => `172.${n}.0.0/16`),
  ...range(200, 231).map((n) => `10.${n}.0.0/16`),
  ...range(12, 15).map((n) => `192.168.${n * 16}.0/20`),
].map((text) => parseSubnet(text));

/** The first candidate that overlaps nothing that the host uses, or undefined. */
export function chooseSubnet(candidates: readonly Subnet[], used: readonly Subnet[]): Subnet | undefined {
  return candidates.find((candidate) => !conflicts(candidate, used));
}

/** True when the host reaches something else under the addresses of `subnet`. */
export function conflicts(subnet: Subnet, used: readonly Subnet[]): boolean {
  return used.some((other) => other.prefixLength >= MIN_NETWORK_PREFIX && overlaps(subnet, other));
}
