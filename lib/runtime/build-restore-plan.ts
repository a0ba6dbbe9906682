import { buildForeignPlan } from './build-foreign-plan.js';
import { cleanHost } from './build-launch-plan.js';
import type { ContainerSpec, RestoredProcesses } from './container-spec.js';
import type { LaunchPlan } from './launch-plan.js';

/** The plan that makes the processes of a checkpoint again. */
export function buildRestorePlan(spec: ContainerSpec, restored: RestoredProcesses): LaunchPlan {
  const { directory, command, protectedSources } = restored;
  const { arguments: words, environment, pidFile, logFile } = command;
  return buildForeignPlan(spec, {
    directory,
    cgroupPrepare: spec.cgroup.prepare,
    operation: { op: 'revive', arguments: words, environment, protectedSources, pidFile, log: logFile },
    cleanup: cleanHost(spec),
  });
}
