import { EngineError } from '../../core/errors/engine-error.js';
import { type BlockDeviceValue, type BlockThrottleLimit, checkDeviceValues } from './block-device-limit.js';

/** Limits of a container with Docker's names and meanings. Sizes in bytes; 0 is as if left out. */
export interface CgroupResources {
  /** At least 6 MiB. Default: no limit. */
  readonly memory?: number | undefined;
  /** Memory and swap together; -1 for no limit on swap. Needs `memory`, at least that much. Default: twice `memory`. */
  readonly memorySwap?: number | undefined;
  /** What the container may keep when memory runs short. Not above `memory`. */
  readonly memoryReservation?: number | undefined;
  /** How readily memory is swapped, 0 to 100; v1 only. -1 is as if left out. */
  readonly memorySwappiness?: number | undefined;
  /** Processes wait for memory instead of being killed; v1 only. Needs `memory`. */
  readonly oomKillDisable?: boolean | undefined;
  /** Processors, e.g. 1.5; from 0.01. Excludes `cpuQuota` and `cpuPeriod`. */
  readonly cpus?: number | undefined;
  /** Weight among containers that want more than there is, 2 to 262144. Default 1024. */
  readonly cpuShares?: number | undefined;
  /** Microseconds of processor time in each period, from 1000; -1 for no limit. */
  readonly cpuQuota?: number | undefined;
  /** Microseconds, 1000 to 1000000. Default 100000. */
  readonly cpuPeriod?: number | undefined;
  /** Processors to run on, like `0-2,7`. */
  readonly cpusetCpus?: string | undefined;
  /** Memory nodes to use, like `0,1`. */
  readonly cpusetMems?: string | undefined;
  /** Processes and threads; -1 for no limit. */
  readonly pidsLimit?: number | undefined;
  /** Weight of block I/O among containers, 10 to 1000. Needs a scheduler that has weights. */
  readonly blkioWeight?: number | undefined;
  /** The same for single devices. */
  readonly blkioWeightDevice?: readonly BlockDeviceValue[] | undefined;
  /** Bytes a second. */
  readonly blkioDeviceReadBps?: readonly BlockDeviceValue[] | undefined;
  readonly blkioDeviceWriteBps?: readonly BlockDeviceValue[] | undefined;
  /** Operations a second. */
  readonly blkioDeviceReadIops?: readonly BlockDeviceValue[] | undefined;
  readonly blkioDeviceWriteIops?: readonly BlockDeviceValue[] | undefined;
  /** Bytes in huge pages of one size. */
  readonly hugepageLimits?: readonly HugepageLimit[] | undefined;
}

/** How much memory of huge pages of one size may be used. */
export interface HugepageLimit {
  /** As the kernel's files have it: `64KB`, `2MB`, `1GB`. */
  readonly pageSize: string;
  /** Bytes; 0 for none at all. */
  readonly limit: number;
}

/** {@link CgroupResources} after validation: what is to be written, `undefined` for nothing. */
export interface CgroupLimits {
  readonly memory?: MemoryLimits;
  readonly memoryReservation?: number;
  readonly memorySwappiness?: number;
  readonly oomKillDisable?: true;
  readonly cpuShares?: number;
  /** Microseconds. */
  readonly cpuBandwidth?: { readonly quota: number | 'unlimited'; readonly period: number };
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pids?: number | 'unlimited';
  readonly blockWeight?: number;
  readonly blockWeights?: readonly BlockDeviceValue[];
  readonly blockThrottles?: readonly BlockThrottleLimit[];
  readonly hugepages?: readonly HugepageLimit[];
}

export interface MemoryLimits {
  readonly limit: number;
  /** Memory and swap together. Not `explicit`: the default, dropped where the kernel does not count swap. */
  readonly withSwap: { readonly bytes: number | 'unlimited'; readonly explicit: boolean };
}

const minMemory = 6 * 1024 * 1024;
const defaultPeriod = 100_000;

/** @throws EngineError `INVALID_OPTION` naming the option. */
export function checkResources(resources: CgroupResources): CgroupLimits {
  const memory = checkMemory(resources);
  const memoryReservation = integerOption(resources, 'memoryReservation', 1, memory?.limit);
  const memorySwappiness = checkSwappiness(resources.memorySwappiness);
  const oomKillDisable = resources.oomKillDisable === true;
  if (oomKillDisable && memory === undefined) throw invalid('oomKillDisable', 'option memory beside it', true);
  const cpuShares = integerOption(resources, 'cpuShares', 2, 262_144);
  const cpuBandwidth = checkBandwidth(resources);
  const cpusetCpus = checkCpuset(resources.cpusetCpus, 'cpusetCpus');
  const cpusetMems = checkCpuset(resources.cpusetMems, 'cpusetMems');
  const pids = resources.pidsLimit === -1 ? 'unlimited' : integerOption(resources, 'pidsLimit', 1, 4_194_304);
  const blockWeight = integerOption(resources, 'blkioWeight', 10, 1000);
  const blockWeights = checkDeviceValues(resources.blkioWeightDevice, 'blkioWeightDevice', 10, 1000);
  const blockThrottles = checkThrottles(resources);
  const hugepages = checkHugepages(resources.hugepageLimits ?? []);
  return {
    ...(memory && { memory }),
    ...(memoryReservation && { memoryReservation }),
    ...(memorySwappiness !== undefined && { memorySwappiness }),
    ...(oomKillDisable && { oomKillDisable }),
    ...(cpuShares && { cpuShares }),
    ...(cpuBandwidth && { cpuBandwidth }),
    ...(cpusetCpus && { cpusetCpus }),
    ...(cpusetMems && { cpusetMems }),
    ...(pids && { pids }),
    ...(blockWeight && { blockWeight }),
    ...(blockWeights.length > 0 && { blockWeights }),
    ...(blockThrottles.length > 0 && { blockThrottles }),
    ...(hugepages.length > 0 && { hugepages }),
  };
}

type NumericOption = {
  [K in keyof CgroupResources]-?: CgroupResources[K] extends number | undefined ? K : never;
}[keyof CgroupResources];

function checkMemory(resources: CgroupResources): MemoryLimits | undefined {
  const limit = integerOption(resources, 'memory', minMemory);
  const swap = resources.memorySwap === -1 ? 'unlimited' : integerOption(resources, 'memorySwap', limit ?? 1);
  if (limit === undefined) {
    if (swap === undefined) return undefined;
    throw invalid('memorySwap', 'option memory beside it', swap);
  }
  return {
    limit,
    withSwap: swap === undefined ? { bytes: limit * 2, explicit: false } : { bytes: swap, explicit: true },
  };
}

function checkSwappiness(value: number | undefined): number | undefined {
  if (value === undefined || value === -1) return undefined;
  if (Number.isInteger(value) && value >= 0 && value <= 100) return value;
  throw invalid('memorySwappiness', 'a whole number from 0 to 100, or -1', value);
}

function checkBandwidth(resources: CgroupResources): CgroupLimits['cpuBandwidth'] {
  const { cpus } = resources;
  const quota = resources.cpuQuota === -1 ? 'unlimited' : integerOption(resources, 'cpuQuota', 1000);
  const period = integerOption(resources, 'cpuPeriod', 1000, 1_000_000);
  if (cpus === undefined || cpus === 0) {
    return quota === undefined && period === undefined
      ? undefined
      : { quota: quota ?? 'unlimited', period: period ?? defaultPeriod };
  }
  if (quota !== undefined || period !== undefined) throw invalid('cpus', 'no cpuQuota or cpuPeriod beside it', cpus);
  if (!Number.isFinite(cpus) || cpus < 0.01 || cpus > 8192) throw invalid('cpus', '0.01 to 8192', cpus);
  return { quota: Math.round(cpus * defaultPeriod), period: defaultPeriod };
}

/** The option of each kind of limit per device. */
export const throttleOptions = {
  readBps: 'blkioDeviceReadBps',
  writeBps: 'blkioDeviceWriteBps',
  readIops: 'blkioDeviceReadIops',
  writeIops: 'blkioDeviceWriteIops',
} as const;

function checkThrottles(resources: CgroupResources): BlockThrottleLimit[] {
  return (['readBps', 'writeBps', 'readIops', 'writeIops'] as const).flatMap((throttle) => {
    const option = throttleOptions[throttle];
    const max = throttle.endsWith('Iops') ? 2 ** 32 - 1 : Number.MAX_SAFE_INTEGER;
    return checkDeviceValues(resources[option], option, 1, max).map((each) => ({ ...each, throttle }));
  });
}

function checkHugepages(limits: readonly HugepageLimit[]): readonly HugepageLimit[] {
  for (const { pageSize, limit } of limits) {
    if (!/^[1-9]\d{0,3}[KMG]B$/.test(pageSize)) {
      throw invalid('hugepageLimits', "a size of pages like '2MB' or '1GB'", pageSize);
    }
    if (!Number.isSafeInteger(limit) || limit < 0) throw invalid('hugepageLimits', 'bytes as a whole number', limit);
  }
  return limits;
}

/** The kernel checks that the processors exist; here only what could be anything else than a list. */
function checkCpuset(value: string | undefined, option: string): string | undefined {
  if (value === undefined || value === '') return undefined;
  const isList = /^\d{1,5}(?:-\d{1,5})?(?:,\d{1,5}(?:-\d{1,5})?){0,999}$/.test(value);
  const rising = value.split(',').every((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return first <= last;
  });
  if (isList && rising) return value;
  throw invalid(option, "a list of numbers and ranges, like '0-2,7'", value);
}

function integerOption(
  resources: CgroupResources,
  option: NumericOption,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = resources[option];
  if (value === undefined || value === 0) return undefined;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`;
  throw invalid(option, range, value);
}

function invalid(option: string, expected: string, got: unknown): EngineError {
  return new EngineError('INVALID_OPTION', { option, expected, got: String(got).slice(0, 200) });
}
