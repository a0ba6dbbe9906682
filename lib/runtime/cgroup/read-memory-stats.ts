import type { CgroupFiles } from './cgroup.js';
import { keyedNumber, keyedNumbers, type ReadText, readWhole } from './cgroup-text.js';

/** Memory of all processes of a container, in bytes. Members are absent where the host does not count. */
export interface MemoryStats {
  /** Without page cache that the kernel would drop first: what `docker stats` shows. */
  readonly usageBytes: number;
  /** With it: what the limit applies to. */
  readonly chargedBytes: number;
  /** Absent where there is no limit. */
  readonly limitBytes?: number;
  /** The largest `chargedBytes` so far. Not before Linux 5.19 on cgroup v2. */
  readonly peakBytes?: number;
  /** Page cache: contents of files. */
  readonly cacheBytes?: number;
  readonly swapBytes?: number;
  /** How often the limit was reached; the kernel has then made room, or killed. */
  readonly limitHits?: number;
  /** Processes that were killed for want of memory. */
  readonly oomKills?: number;
  /** Every number of the kernel's file `memory.stat`, by its name there. */
  readonly detail: Readonly<Record<string, number>>;
}

/** The kernel shows "no limit" of v1 as the largest number of whole pages. */
const NO_LIMIT = 2n ** 62n;

/** Undefined where memory is not counted, or the group has gone. */
export async function readMemoryStats(files: CgroupFiles, readText: ReadText): Promise<MemoryStats | undefined> {
  const { memory } = files;
  if (memory === undefined) return undefined;
  const whole = (path: string): Promise<bigint | undefined> => readWhole(path, readText);
  const [charged, limit, peak, swap, limitHits, oom, stat = ''] = await Promise.all([
    whole(memory.usage),
    whole(memory.limit),
    whole(memory.peak),
    whole(memory.version === 'v1' ? memory.withSwap : memory.swap),
    memory.version === 'v1' ? whole(memory.failures) : readText(memory.events).then((text) => keyedNumber(text, 'max')),
    files.oomKills === undefined ? undefined : readText(files.oomKills),
    readText(memory.detail),
  ]);
  if (charged === undefined) return undefined;
  const detail = keyedNumbers(stat);
  const [idle, cached] = memory.version === 'v1' ? ['total_inactive_file', 'total_cache'] : ['inactive_file', 'file'];
  const cache = detail.get(cached);
  const swapped = swap === undefined || memory.version === 'v2' ? swap : swap > charged ? swap - charged : 0n;
  const oomKills = keyedNumber(oom, 'oom_kill');
  return {
    usageBytes: Math.max(Number(charged) - (detail.get(idle) ?? 0), 0),
    chargedBytes: Number(charged),
    ...(limit !== undefined && limit < NO_LIMIT && { limitBytes: Number(limit) }),
    ...(peak !== undefined && { peakBytes: Number(peak) }),
    ...(cache !== undefined && { cacheBytes: cache }),
    ...(swapped !== undefined && { swapBytes: Number(swapped) }),
    ...(limitHits !== undefined && { limitHits: Number(limitHits) }),
    ...(oomKills !== undefined && { oomKills: Number(oomKills) }),
    detail: Object.fromEntries(detail),
  };
}
