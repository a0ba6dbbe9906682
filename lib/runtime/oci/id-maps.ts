import type { OciConfig } from './oci-config.js';
import type { OciIdMapping } from './oci-linux.js';

/** Everything onto itself; the last id means "none" to the kernel. */
const identity: readonly OciIdMapping[] = [{ containerID: 0, hostID: 0, size: 0xffff_ffff }];

/** Lines of /proc/PID/uid_map and gid_map. @see user_namespaces(7) */
export interface IdMaps {
  readonly users: string;
  readonly groups: string;
}

/** A user namespace without maps gets all ids: it is there for its capabilities then. */
export function idMapsOf(config: OciConfig): IdMaps {
  return {
    users: idMapLines(config.linux?.uidMappings ?? identity),
    groups: idMapLines(config.linux?.gidMappings ?? identity),
  };
}

export function idMapLines(mappings: readonly OciIdMapping[]): string {
  const lines = mappings.length === 0 ? identity : mappings;
  return lines.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');
}
