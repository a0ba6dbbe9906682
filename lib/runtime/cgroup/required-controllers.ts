import { EngineError } from '../../core/errors/engine-error.js';
import type { BlockWeightFile } from './block-weight.js';
import { type CgroupLimits, throttleOptions } from './resources.js';

/** An option, and the controller without which it cannot be fulfilled. */
export interface RequiredController {
  readonly option: string;
  readonly controller: 'memory' | 'cpu' | 'cpuset' | 'pids' | 'hugetlb' | 'blkio' | 'io';
}

/** `block` is what the controller of block I/O is called. */
export function requiredControllers(limits: CgroupLimits, block: 'blkio' | 'io'): RequiredController[] {
  const needed: [present: unknown, option: string, controller: RequiredController['controller']][] = [
    [limits.memory, 'memory', 'memory'],
    [limits.memoryReservation, 'memoryReservation', 'memory'],
    [limits.memorySwappiness !== undefined, 'memorySwappiness', 'memory'],
    [limits.oomKillDisable, 'oomKillDisable', 'memory'],
    [limits.cpuShares, 'cpuShares', 'cpu'],
    [limits.cpuBandwidth, 'cpus', 'cpu'],
    [limits.cpusetCpus, 'cpusetCpus', 'cpuset'],
    [limits.cpusetMems, 'cpusetMems', 'cpuset'],
    [limits.pids !== 'unlimited' && limits.pids, 'pidsLimit', 'pids'],
    [limits.blockWeight, 'blkioWeight', block],
    [limits.blockWeights, 'blkioWeightDevice', block],
    [limits.blockThrottles, throttleOptions[limits.blockThrottles?.[0]?.throttle ?? 'readBps'], block],
    [limits.hugepages, 'hugepageLimits', 'hugetlb'],
  ];
  return needed.flatMap(([present, option, controller]) => (present ? [{ option, controller }] : []));
}

/** @throws EngineError `CONTROLLER_MISSING` for a weight that no scheduler of this kernel would heed. */
export function requireBlockWeight(
  limits: CgroupLimits,
  files: readonly BlockWeightFile[],
  controller: 'blkio' | 'io',
): void {
  if (files.length > 0 || (limits.blockWeight === undefined && limits.blockWeights === undefined)) return;
  throw new EngineError('CONTROLLER_MISSING', {
    option: limits.blockWeight === undefined ? 'blkioWeightDevice' : 'blkioWeight',
    controller,
    hint: 'no scheduler of block devices in this kernel has weights: load the module bfq',
  });
}
