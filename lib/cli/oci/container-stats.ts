import { readFileSync } from 'node:fs';
import type { ContainerRecord } from './container-record.js';

/** One measurement in the form that runc's `events` has. */
export interface ContainerStats {
  readonly cpu: { readonly usage: { readonly total: number } };
  readonly memory: {
    readonly usage: { readonly usage: number; readonly limit: number | 'max' };
    readonly raw: Readonly<Record<string, number>>;
  };
  readonly pids: { readonly current: number; readonly limit: number | 'max' };
}

/** What the container's groups count; 0 for what is not counted. */
export function readStats({ cgroup }: ContainerRecord): ContainerStats {
  const { version, directories, path } = cgroup;
  const find = (controller: string): string =>
    version === 'v2'
      ? (directories[0] ?? '')
      : (directories.find((each) => each.slice(0, -path.length).split('/').at(-1)?.split(',').includes(controller)) ??
        '');
  const [memory, pids] = [find('memory'), find('pids')];
  const total =
    version === 'v2'
      ? (table(`${directories[0] ?? ''}/cpu.stat`)['usage_usec'] ?? 0) * 1000
      : number(`${find('cpuacct')}/cpuacct.usage`);
  const [usage, limit] = version === 'v2' ? ['current', 'max'] : ['usage_in_bytes', 'limit_in_bytes'];
  return {
    cpu: { usage: { total } },
    memory: {
      usage: { usage: number(`${memory}/memory.${usage}`), limit: numberOrMax(`${memory}/memory.${limit}`) },
      raw: table(`${memory}/memory.stat`),
    },
    pids: { current: number(`${pids}/pids.current`), limit: numberOrMax(`${pids}/pids.max`) },
  };
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return ''; // the host does not count this
  }
}

const number = (path: string): number => Number(text(path)) || 0;
const numberOrMax = (path: string): number | 'max' => (text(path) === 'max' ? 'max' : number(path));

function table(path: string): Record<string, number> {
  const rows = text(path)
    .split('\n')
    .map((line) => line.split(' '));
  return Object.fromEntries(rows.filter((row) => row.length === 2).map(([key = '', value]) => [key, Number(value)]));
}
