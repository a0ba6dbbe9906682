import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

const root = '/sys/fs/cgroup';

/** Whether this machine has one hierarchy with everything. */
export const isCgroupV2 = (): boolean => existsSync(`${root}/cgroup.controllers`);

/** A file of a container's group as the host has it: by its controller and name on v1, by its name alone on v2. */
export async function readGroupFile(
  id: string,
  v1: readonly [controller: string, file: string],
  v2: string,
): Promise<string> {
  const path = isCgroupV2() ? `${root}/tscontainer/${id}/${v2}` : `${root}/${v1[0]}/tscontainer/${id}/${v1[1]}`;
  return (await readFile(path, 'utf8')).trim();
}

/** Processors on which a process may run, as numbers of the host. */
export async function allowedProcessors(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, list] = /^Cpus_allowed_list:\s+(.*)$/m.exec(status) ?? [];
  assert.ok(list !== undefined);
  return list;
}

/** Processor time of one process, without its children, in milliseconds. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
