import { createHash } from 'node:crypto';

/** The names that the network of one engine root has on the host. */
export interface BridgeNames {
  /** The bridge; 12 characters. */
  readonly bridge: string;
  /** The nf_tables table. */
  readonly table: string;
}

const VETH_PREFIX = 'tsv';

/** Two roots never share a bridge or a table: both names come from the path of the root. */
export function bridgeNames(root: string): BridgeNames {
  const id = digest(root).slice(0, 8);
  return { bridge: `tsc-${id}`, table: `tscontainer-${id}` };
}

/** Name of the host's end of a container's veth pair: 15 characters, the most that the kernel takes. */
export function vethName(root: string, containerId: string): string {
  return `${VETH_PREFIX}${digest(`${root}\0${containerId}`).slice(0, 12)}`;
}

export const isVethName = (name: string): boolean => name.startsWith(VETH_PREFIX) && name.length === 15;

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
