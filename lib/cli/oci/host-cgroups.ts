import { readFileSync } from 'node:fs';
import type { CgroupView } from '../../runtime/oci/cgroup/cgroup-view.js';
import { ociCgroupPath } from '../../runtime/oci/cgroup/oci-cgroup-path.js';
import { hostCgroupReader } from '../../runtime/oci/cgroup/plan-oci-cgroup.js';
import { readHierarchies } from '../../runtime/oci/cgroup/read-hierarchies.js';
import type { OciConfig } from '../../runtime/oci/oci-config.js';
import type { RuntimeContext } from './runtime-context.js';

/** Where a container goes in the hierarchies of this host. */
export function cgroupViewOf(context: RuntimeContext, config: OciConfig, id: string): CgroupView {
  const namespaces = config.linux?.namespaces ?? [];
  const newNamespace = namespaces.some(({ type, path }) => type === 'cgroup' && path === undefined);
  const hierarchies = context.cgroupsDisabled ? [] : hostHierarchies();
  const path = ociCgroupPath(config.linux?.cgroupsPath, id, context.systemdCgroup);
  const version = hierarchies.length === 0 ? 'none' : hierarchies[0]?.version === 2 ? 'v2' : 'v1';
  return { version, path, hierarchies, newNamespace };
}

export const hostHierarchies = () =>
  readHierarchies(
    readFileSync('/proc/self/mountinfo', 'utf8'),
    (directory) => hostCgroupReader.text(`${directory}/cgroup.controllers`) ?? '',
  );
