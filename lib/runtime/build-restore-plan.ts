import { cleanHost, placeNetwork, prepareHost, rootOperations } from './build-launch-plan.js';
import type { ContainerSpec, RestoredProcesses } from './container-spec.js';
import type { LaunchPlan } from './launch-plan.js';

/**
 * The plan that makes the processes of a checkpoint again. Cgroups with their limits, the network and the root are those of a
 * start; namespaces, mounts and rights are made again with the processes.
 */
export function buildRestorePlan(spec: ContainerSpec, restored: RestoredProcesses): LaunchPlan {
  const network = placeNetwork(spec);
  const { environment, pidFile, logFile } = restored.command;
  return {
    namespaces: ['mount'],
    prepare: [
      { op: 'remove-tree', path: restored.directory },
      { op: 'make-directory', path: restored.directory, mode: 0o700 },
      ...prepareHost(spec),
      ...spec.cgroup.prepare,
      ...network.prepare,
    ],
    parent: [...spec.cgroup.parent, ...network.parent],
    child: [
      { op: 'propagation', mode: 'slave' },
      ...rootOperations(spec.root, spec.rootTarget),
      { op: 'sync' },
      ...spec.cgroup.child,
      ...network.child,
      {
        op: 'revive',
        arguments: restored.command.arguments,
        environment,
        protectedSources: restored.protectedSources,
        pidFile,
        log: logFile,
      },
    ],
    cleanup: cleanHost(spec),
  };
}
