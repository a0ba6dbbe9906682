import type { CgroupManager } from './cgroup.js';
import type { CgroupHost } from './cgroup-host.js';
import { createNoCgroupManager } from './none/no-cgroup-manager.js';
import { createCgroupV1Manager } from './v1/cgroup-v1-manager.js';
import { createCgroupV2Manager } from './v2/cgroup-v2-manager.js';

export interface CgroupManagerOptions {
  /**
   * Group that holds the engine's group, relative to the root of each hierarchy. Default: the root itself. For
   * `cpusetCpus` and `cpusetMems` on v1 it must exist and have processors and memory nodes; else it is made when needed.
   */
  readonly cgroupParent?: string | undefined;
}

/** The manager for a host. @throws EngineError `INVALID_OPTION` naming `cgroupParent`. */
export function createCgroupManager(host: CgroupHost, options: CgroupManagerOptions = {}): CgroupManager {
  const parent = options.cgroupParent ?? '/';
  switch (host.version) {
    case 'v1':
      return createCgroupV1Manager(host, parent);
    case 'v2':
      return createCgroupV2Manager(host, parent);
    case 'none':
      return createNoCgroupManager(host);
  }
}
