import type { WriteFile } from '../launch-plan.js';

/**
 * The writes that turn the limits of a running container into others: what is the same is left alone, and a limit that
 * is there no more is lifted. The kernel accepts limits in the order of `next`, and lifts them in the opposite order.
 *
 * `unlimited` has values for files whose value in a new group is not the same on every host.
 */
export function changedWrites(
  current: readonly WriteFile[],
  next: readonly WriteFile[],
  unlimited: Readonly<Record<string, string>> = {},
): WriteFile[] {
  const before = new Map(current.map((each) => [limitOf(each), each]));
  const after = new Set(next.map(limitOf));
  const changed = next.filter((each) => before.get(limitOf(each))?.data !== each.data);
  const gone = current.toReversed().filter((each) => !after.has(limitOf(each)));
  return [...gone.flatMap((each) => lift(each, { ...defaults, ...unlimited })), ...changed];
}

/** Files that hold one value for each device have one limit for each; the others are one limit. */
function limitOf({ path, data }: WriteFile): string {
  const device = /^\d+:\d+/.exec(data)?.[0] ?? '';
  const key = path.endsWith('/io.max') ? (/ (\w+)=/.exec(data)?.[1] ?? '') : '';
  return `${path} ${device} ${key}`;
}

/** What a file has in a new group. An empty list is a line without one: nothing at all would be no write. */
const defaults: Readonly<Record<string, string>> = {
  'memory.limit_in_bytes': '-1',
  'memory.memsw.limit_in_bytes': '-1',
  'memory.soft_limit_in_bytes': '-1',
  'memory.swappiness': '60',
  'memory.oom_control': '0',
  'memory.max': 'max',
  'memory.swap.max': 'max',
  'memory.low': '0',
  'cpu.shares': '1024',
  'cpu.cfs_period_us': '100000',
  'cpu.cfs_quota_us': '-1',
  'cpu.weight': '100',
  'cpu.max': 'max 100000',
  'pids.max': 'max',
  'cpuset.cpus': '\n',
  'cpuset.mems': '\n',
  'blkio.weight': '500',
  'blkio.bfq.weight': '100',
  'io.weight': 'default 100',
  'io.bfq.weight': 'default 100',
};

function lift(write: WriteFile, unlimited: Readonly<Record<string, string>>): WriteFile[] {
  const file = write.path.slice(write.path.lastIndexOf('/') + 1);
  const data = liftedDeviceValue(file, write.data) ?? unlimited[file] ?? liftedHugepages(file);
  if (data === undefined) throw new Error(`${file} has no value that means no limit`);
  return [{ ...write, data }];
}

function liftedDeviceValue(file: string, data: string): string | undefined {
  const device = /^\d+:\d+/.exec(data)?.[0];
  if (device === undefined) return undefined;
  if (file === 'io.max') return data.replace(/=\d+$/, '=max');
  return `${device} ${file.includes('weight') ? 'default' : '0'}`;
}

function liftedHugepages(file: string): string | undefined {
  if (!file.startsWith('hugetlb.')) return undefined;
  return file.endsWith('.max') ? 'max' : '-1';
}
