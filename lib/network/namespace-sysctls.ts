import type { WriteFile } from '../runtime/launch-plan.js';

/**
 * In stage `child`, while the host's /proc is still in sight: /proc/sys/net belongs to the namespace of the reader.
 * @see https://docs.kernel.org/networking/ip-sysctl.html
 */
const sysctl = (name: string, data: string): WriteFile => ({ op: 'write-file', path: `/proc/sys/net/${name}`, data });

/** Programs in the container may listen on port 80 without being root, as they may under Docker. */
export const lowPortsForEverybody: WriteFile = sysctl('ipv4/ip_unprivileged_port_start', '0');

/** A network without IPv6 leaves none on the interface, so that no neighbour can give the container an address. */
export function disableIpv6(interfaceName: string): WriteFile[] {
  return [sysctl(`ipv6/conf/${interfaceName}/disable_ipv6`, '1'), sysctl(`ipv6/conf/${interfaceName}/accept_ra`, '0')];
}
