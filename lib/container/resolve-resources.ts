import { parseBytes } from '../core/units.js';
import { type CgroupResources, checkResources } from '../runtime/cgroup/resources.js';
import type { ResourceOptions } from './container-options.js';

/**
 * The limits of a container: the options over the limits that it has. An option that is left out changes nothing; 0, or ''
 * for a list, lifts a limit.
 *
 * @throws EngineError `INVALID_OPTION`.
 */
export function resolveResources(options: ResourceOptions, current: CgroupResources = {}): CgroupResources {
  const given = {
    memory: bytes(options.memory, 'memory'),
    memorySwap: bytes(options.memorySwap, 'memorySwap'),
    memoryReservation: bytes(options.memoryReservation, 'memoryReservation'),
    cpus: options.cpus,
    cpuShares: options.cpuShares,
    cpuQuota: options.cpuQuota,
    cpuPeriod: options.cpuPeriod,
    cpusetCpus: options.cpusetCpus,
    cpusetMems: options.cpusetMems,
    pidsLimit: options.pidsLimit,
  };
  const resources: CgroupResources = { ...current, ...withoutUndefined(given) };
  checkResources(resources);
  return Object.fromEntries(Object.entries(resources).filter(([, value]) => value !== 0 && value !== ''));
}

function withoutUndefined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** -1 goes through: for some options it means no limit. */
function bytes(value: number | string | undefined, option: string): number | undefined {
  if (value === undefined) return undefined;
  return value === -1 || value === '-1' ? -1 : parseBytes(value, option);
}
