import { buildJoinPlan, buildLaunchPlan } from './build-launch-plan.js';
import { buildRestorePlan } from './build-restore-plan.js';
import type { LaunchSpec } from './container-spec.js';
import type { LaunchPlan } from './launch-plan.js';

/** The plan that starts what a launcher is asked for. */
export function buildPlan(spec: LaunchSpec): LaunchPlan {
  if (spec.kind === 'join') return buildJoinPlan(spec);
  return spec.restored === undefined ? buildLaunchPlan(spec) : buildRestorePlan(spec, spec.restored);
}
