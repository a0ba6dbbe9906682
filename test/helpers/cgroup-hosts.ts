import type { CgroupHost } from '#lib/runtime/cgroup/cgroup-host.js';

const root = '/sys/fs/cgroup';
const names = ['memory', 'pids', 'devices', 'freezer', 'cpu', 'cpuacct', 'cpuset', 'blkio', 'hugetlb'] as const;

/** Hosts that have everything, for tests that touch nothing. */
export const cgroupHosts: {
  readonly v1: Extract<CgroupHost, { version: 'v1' }>;
  readonly v2: Extract<CgroupHost, { version: 'v2' }>;
} = {
  v1: {
    version: 'v1',
    hierarchies: Object.fromEntries(names.map((name) => [name, `${root}/${name}`])),
    swap: true,
    cpuset: { cpus: '0-1', mems: '0' },
    hybrid: true,
    blockWeightFiles: ['blkio.bfq.weight'],
  },
  v2: {
    version: 'v2',
    root,
    controllers: ['memory', 'pids', 'cpu', 'cpuset', 'io', 'hugetlb'],
    enabled: ['memory'],
    swap: true,
    deviceFilter: true,
    blockWeightFiles: ['io.bfq.weight', 'io.weight'],
  },
};
