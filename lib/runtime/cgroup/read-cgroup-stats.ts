import type { CgroupFiles } from './cgroup.js';
import { type ReadText, readWhole } from './cgroup-text.js';
import { type BlockIoStats, readBlockIo } from './read-block-io.js';
import { type CpuStats, readCpuStats } from './read-cpu-stats.js';
import { type MemoryStats, readMemoryStats } from './read-memory-stats.js';

/** Counters of one container; a member is absent where the host does not count. */
export interface CgroupStats {
  readonly cpu?: CpuStats;
  readonly memory?: MemoryStats;
  readonly pids?: PidsStats;
  readonly io?: BlockIoStats;
}

/** Processes and threads of a container. */
export interface PidsStats {
  readonly current: number;
  /** Absent where there is no limit. */
  readonly limit?: number;
}

/** Reads the counters of a container. Files that have gone with the container count as absent. */
export async function readCgroupStats(files: CgroupFiles, readText: ReadText): Promise<CgroupStats> {
  const [cpu, memory, pids, io] = await Promise.all([
    readCpuStats(files, readText),
    readMemoryStats(files, readText),
    readPidsStats(files, readText),
    readBlockIo(files.io, readText),
  ]);
  return { ...(cpu && { cpu }), ...(memory && { memory }), ...(pids && { pids }), ...(io && { io }) };
}

async function readPidsStats(files: CgroupFiles, readText: ReadText): Promise<PidsStats | undefined> {
  if (files.pidsCurrent === undefined) return undefined;
  const current = await readWhole(files.pidsCurrent, readText);
  if (current === undefined) return undefined;
  const limit = files.pidsLimit === undefined ? undefined : await readWhole(files.pidsLimit, readText);
  return { current: Number(current), ...(limit !== undefined && { limit: Number(limit) }) };
}
