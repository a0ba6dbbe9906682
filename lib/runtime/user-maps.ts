import type { IdMapping, UserMaps } from './container-spec.js';

/** Lines of uid_map and gid_map. @see user_namespaces(7) */
export const mapLines = (mappings: readonly IdMapping[]): string =>
  mappings.map(({ containerId, hostId, size }) => `${containerId} ${hostId} ${size}\n`).join('');

/** The ids of the host that are root inside. */
export function rootOf({ uids, gids }: UserMaps): { readonly uid: number; readonly gid: number } {
  return { uid: hostId(uids, 0), gid: hostId(gids, 0) };
}

function hostId(mappings: readonly IdMapping[], id: number): number {
  const found = mappings.find(({ containerId, size }) => id >= containerId && id < containerId + size);
  return found === undefined ? id : found.hostId + id - found.containerId;
}
