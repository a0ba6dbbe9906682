import type { MountPoint } from '../layers/layer-store.js';

/** Where every container has something mounted: what its image lacks of it is made once, not for each container. */
export const commonMountPoints: readonly MountPoint[] = [
  ...['/proc', '/dev', '/sys'].map((path) => ({ path, kind: 'kernel directory' }) as const),
  ...['/etc/resolv.conf', '/etc/hostname', '/etc/hosts'].map((path) => ({ path, kind: 'file' }) as const),
];
