import { statSync } from 'node:fs';
import { deviceNumber } from '../core/device-number.js';
import { parseBytes } from '../core/units.js';
import type { BlockDeviceValue } from '../runtime/cgroup/block-device-limit.js';
import { type CgroupResources, checkResources } from '../runtime/cgroup/resources.js';
import type { ResourceOptions } from './container-options.js';
import { invalidOption } from './invalid-option.js';

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
    memorySwappiness: options.memorySwappiness,
    oomKillDisable: options.oomKillDisable,
    blkioWeight: options.blkioWeight,
    blkioWeightDevice: deviceValues(options.blkioWeightDevice, 'blkioWeightDevice', (each) => each.weight),
    blkioDeviceReadBps: rates(options, 'blkioDeviceReadBps'),
    blkioDeviceWriteBps: rates(options, 'blkioDeviceWriteBps'),
    blkioDeviceReadIops: rates(options, 'blkioDeviceReadIops'),
    blkioDeviceWriteIops: rates(options, 'blkioDeviceWriteIops'),
    hugepageLimits: options.hugepageLimits?.map(({ pageSize, limit }) => {
      return { pageSize, limit: bytes(limit, 'hugepageLimits') ?? 0 };
    }),
  };
  const resources: CgroupResources = { ...current, ...withoutUndefined(given) };
  checkResources(resources);
  return Object.fromEntries(Object.entries(resources).filter(([option, value]) => !isLifted(option, value)));
}

function withoutUndefined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** -1 goes through: for some options it means no limit. */
function bytes(value: number | string | undefined, option: string): number | undefined {
  if (value === undefined) return undefined;
  return value === -1 || value === '-1' ? -1 : parseBytes(value, option);
}

function isLifted(option: string, value: unknown): boolean {
  if (option === 'memorySwappiness') return value === -1; // 0 is a value
  return value === 0 || value === '' || value === false || (Array.isArray(value) && value.length === 0);
}

type RateOption = 'blkioDeviceReadBps' | 'blkioDeviceWriteBps' | 'blkioDeviceReadIops' | 'blkioDeviceWriteIops';

function rates(options: ResourceOptions, option: RateOption): readonly BlockDeviceValue[] | undefined {
  const isBytes = option.endsWith('Bps');
  return deviceValues(options[option], option, ({ rate }) => (isBytes ? (bytes(rate, option) ?? 0) : Number(rate)));
}

function deviceValues<T extends { readonly path: string }>(
  list: readonly T[] | undefined,
  option: string,
  numberOf: (each: T) => number,
): readonly BlockDeviceValue[] | undefined {
  return list?.map((each) => {
    const status = typeof each.path === 'string' ? statSync(each.path, { throwIfNoEntry: false }) : undefined;
    if (!status?.isBlockDevice()) throw invalidOption(option, 'block devices of the host, by path', String(each.path));
    return { ...deviceNumber(status.rdev), value: numberOf(each) };
  });
}
