import type { CgroupFiles } from './cgroup.js';

/** Counters of one container; a member is absent where the host does not count. */
export interface CgroupStats {
  /** Processes killed for want of memory since the group was made. */
  readonly oomKills?: number;
  /** Bytes, without page cache that the kernel would drop first. */
  readonly memoryBytes?: number;
  /** Processor time used by all processes, ended ones included. */
  readonly cpuNanoseconds?: bigint;
  /** Processes and threads. */
  readonly pids?: number;
}

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
  const [oom, usage, memoryStat, cpu, pidsCurrent] = await Promise.all(
    [files.oomKills, files.memoryUsage, files.memoryStat, files.cpuUsage?.path, files.pidsCurrent].map(read),
  );
  const oomKills = keyed(oom, 'oom_kill');
  const inactive = keyed(memoryStat, files.inactiveFileKey ?? 'inactive_file') ?? 0n;
  const memory = whole(usage);
  const cpuNanoseconds = files.cpuUsage?.format === 'cpu.stat' ? times1000(keyed(cpu, 'usage_usec')) : whole(cpu);
  const pids = whole(pidsCurrent);
  return {
    ...(oomKills !== undefined && { oomKills: Number(oomKills) }),
    ...(memory !== undefined && { memoryBytes: Number(memory > inactive ? memory - inactive : 0n) }),
    ...(cpuNanoseconds !== undefined && { cpuNanoseconds }),
    ...(pids !== undefined && { pids: Number(pids) }),
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
