import type { CgroupFiles } from './cgroup.js';
import { type BlockIoStats, readBlockIo } from './read-block-io.js';

/** Counters of one container; a member is absent where the host does not count. */
export interface CgroupStats {
  /** Processes killed for want of memory since the group was made. */
  readonly oomKills?: number;
  /** Bytes, without page cache that the kernel would drop first. */
  readonly memoryBytes?: number;
  /** Absent where there is no limit. */
  readonly memoryLimitBytes?: number;
  /** Processor time used by all processes, ended ones included. */
  readonly cpuNanoseconds?: bigint;
  /** Periods in which the limit on processor time has held processes back, and for how long together. */
  readonly cpuThrottling?: { readonly periods: number; readonly nanoseconds: bigint };
  /** Processes and threads. */
  readonly pids?: number;
  /** Absent where there is no limit. */
  readonly pidsLimit?: number;
  /** Block I/O that has reached devices, of all devices together. */
  readonly io?: BlockIoStats;
}

/** The kernel shows "no limit" of v1 as the largest number of whole pages. */
const NO_MEMORY_LIMIT = 2n ** 62n;

/**
 * Reads the counters of a container. Files that have gone with the container count as absent.
 *
 * @param readText The text of a file, undefined when it does not exist.
 */
export async function readCgroupStats(
  files: CgroupFiles,
  readText: (path: string) => Promise<string | undefined>,
): Promise<CgroupStats> {
  const read = async (path: string | undefined): Promise<string | undefined> =>
    path === undefined ? undefined : readText(path);
  const [oom, usage, memoryStat, memoryMax, cpu, throttling, pidsCurrent, pidsMax] = await Promise.all(
    [
      ...[files.oomKills, files.memoryUsage, files.memoryStat, files.memoryLimit],
      ...[files.cpuUsage?.path, files.cpuThrottling, files.pidsCurrent, files.pidsLimit],
    ].map(read),
  );
  const oomKills = keyed(oom, 'oom_kill');
  const inactive = keyed(memoryStat, files.inactiveFileKey ?? 'inactive_file') ?? 0n;
  const memory = whole(usage);
  const memoryLimit = whole(memoryMax);
  const cpuNanoseconds = files.cpuUsage?.format === 'cpu.stat' ? times1000(keyed(cpu, 'usage_usec')) : whole(cpu);
  const periods = keyed(throttling, 'nr_throttled');
  const throttled = keyed(throttling, 'throttled_time') ?? times1000(keyed(throttling, 'throttled_usec'));
  const pids = whole(pidsCurrent);
  const pidsLimit = whole(pidsMax);
  const io = await readBlockIo(files.io, readText);
  return {
    ...(oomKills !== undefined && { oomKills: Number(oomKills) }),
    ...(memory !== undefined && { memoryBytes: Number(memory > inactive ? memory - inactive : 0n) }),
    ...(memoryLimit !== undefined && memoryLimit < NO_MEMORY_LIMIT && { memoryLimitBytes: Number(memoryLimit) }),
    ...(cpuNanoseconds !== undefined && { cpuNanoseconds }),
    ...(periods !== undefined &&
      throttled !== undefined && { cpuThrottling: { periods: Number(periods), nanoseconds: throttled } }),
    ...(pids !== undefined && { pids: Number(pids) }),
    ...(pidsLimit !== undefined && { pidsLimit: Number(pidsLimit) }),
    ...(io && { io }),
  };
}

/** The number behind `key` in a file of `key number` lines. */
function keyed(text: string | undefined, key: string): bigint | undefined {
  const line = text?.split('\n').find((each) => each.startsWith(`${key} `));
  return whole(line?.slice(key.length + 1));
}

function whole(text: string | undefined): bigint | undefined {
  const digits = text?.trim();
  return digits !== undefined && /^\d{1,20}$/.test(digits) ? BigInt(digits) : undefined;
}

function times1000(value: bigint | undefined): bigint | undefined {
  return value === undefined ? undefined : value * 1000n;
}
