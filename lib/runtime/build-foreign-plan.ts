import { placeNetwork, prepareHost, rootOperations } from './build-launch-plan.js';
import type { ContainerSpec, PlanPart } from './container-spec.js';
import type { LaunchPlan, PlanOperation } from './launch-plan.js';

/** What another program does in a plan, and with what. */
export interface ForeignPart {
  /** Made anew: for what the program reads and writes. */
  readonly directory: string;
  readonly cgroupPrepare: PlanPart['prepare'];
  /** Has the program make the container's processes. */
  readonly operation: PlanOperation;
  readonly cleanup: LaunchPlan['cleanup'];
}

/**
 * The plan of a container whose processes another program makes. Cgroups with their limits, the network and the root come from
 * this engine; namespaces, mounts and rights are that program's work.
 */
export function buildForeignPlan(spec: ContainerSpec, part: ForeignPart): LaunchPlan {
  const network = placeNetwork(spec);
  return {
    namespaces: ['mount'],
    prepare: [
      { op: 'remove-tree', path: part.directory }, // of a run whose supervisor was killed
      { op: 'make-directory', path: part.directory, mode: 0o700 },
      ...prepareHost(spec),
      ...part.cgroupPrepare,
      ...network.prepare,
    ],
    parent: [...spec.cgroup.parent, ...network.parent],
    child: [
      { op: 'propagation', mode: 'slave' },
      ...rootOperations(spec.root, spec.rootTarget),
      { op: 'sync' },
      ...spec.cgroup.child,
      ...network.child,
      part.operation,
    ],
    cleanup: part.cleanup,
  };
}
