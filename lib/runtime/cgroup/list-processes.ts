import { dirname } from 'node:path';
import type { CgroupFiles } from './cgroup.js';
import type { CgroupControl } from './cgroup-control.js';

/** Groups in groups may be as many as processes; deeper ones than this are made to annoy. */
const MAX_DEPTH = 64;

/** Pids of all processes of a container, as numbers of the host, rising; none when it has ended. */
export async function listProcesses(
  { processes }: Pick<CgroupFiles, 'processes'>,
  control: Pick<CgroupControl, 'readText' | 'listGroups'>,
): Promise<readonly number[]> {
  if (processes === undefined) return [];
  const found = await below(dirname(processes), control, 0);
  return [...new Set(found)].sort((a, b) => a - b);
}

/** A container may have made groups of its own. */
async function below(
  directory: string,
  control: Pick<CgroupControl, 'readText' | 'listGroups'>,
  depth: number,
): Promise<number[]> {
  const text = (await control.readText(`${directory}/cgroup.procs`)) ?? '';
  const own = text.split('\n').filter(Boolean).map(Number);
  const groups = depth < MAX_DEPTH ? await control.listGroups(directory) : [];
  const deeper: number[] = [];
  for (const name of groups) deeper.push(...(await below(`${directory}/${name}`, control, depth + 1)));
  return [...own, ...deeper];
}
