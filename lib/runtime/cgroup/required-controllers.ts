import type { CgroupLimits } from './resources.js';

/** An option, and the controller without which it cannot be fulfilled. */
export interface RequiredController {
  readonly option: string;
  readonly controller: 'memory' | 'cpu' | 'cpuset' | 'pids';
}

export function requiredControllers(limits: CgroupLimits): RequiredController[] {
  const needed: [present: unknown, option: string, controller: RequiredController['controller']][] = [
    [limits.memory, 'memory', 'memory'],
    [limits.memoryReservation, 'memoryReservation', 'memory'],
    [limits.cpuShares, 'cpuShares', 'cpu'],
    [limits.cpuBandwidth, 'cpus', 'cpu'],
    [limits.cpusetCpus, 'cpusetCpus', 'cpuset'],
    [limits.cpusetMems, 'cpusetMems', 'cpuset'],
    [limits.pids !== 'unlimited' && limits.pids, 'pidsLimit', 'pids'],
  ];
  return needed.flatMap(([present, option, controller]) => (present ? [{ option, controller }] : []));
}
