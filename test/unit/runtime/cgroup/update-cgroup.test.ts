import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CgroupHost } from '#lib/runtime/cgroup/cgroup-host.js';
import { createCgroupManager } from '#lib/runtime/cgroup/create-cgroup-manager.js';
import type { CgroupResources } from '#lib/runtime/cgroup/resources.js';
import { cgroupHosts } from '../../../helpers/cgroup-hosts.js';

const { v1, v2 } = cgroupHosts;
const MIB = 1024 * 1024;

const short = (path: string): string => path.replace('/sys/fs/cgroup/', '').replace('tscontainer/abc/', '');

/** All writes, those that come before the limits too. */
function update(host: CgroupHost, current: CgroupResources, next: CgroupResources): string[] {
  const { prepare, writes } = createCgroupManager(host).update({ id: 'abc', current, next });
  return [...prepare, ...writes].flatMap((each) =>
    each.op === 'write-file' ? [`${short(each.path)} = ${each.data}`] : [],
  );
}

test('what stays the same is not written again', () => {
  const limits = { memory: 64 * MIB, cpus: 1, pidsLimit: 10, cpuShares: 512 };
  assert.deepEqual(update(v1, limits, limits), []);
  assert.deepEqual(update(v2, limits, limits), []);
  assert.deepEqual(update(v1, limits, { ...limits, pidsLimit: 20 }), ['pids/pids.max = 20']);
});

test('v1: at no moment is memory above memory and swap', () => {
  const of = (memory: number, memorySwap: number): CgroupResources => ({ memory, memorySwap });
  assert.deepEqual(update(v1, of(64 * MIB, 64 * MIB), of(128 * MIB, 128 * MIB)), [
    `memory/memory.memsw.limit_in_bytes = ${128 * MIB}`,
    `memory/memory.limit_in_bytes = ${128 * MIB}`,
  ]);
  assert.deepEqual(update(v1, of(128 * MIB, 128 * MIB), of(64 * MIB, 64 * MIB)), [
    `memory/memory.limit_in_bytes = ${64 * MIB}`,
    `memory/memory.memsw.limit_in_bytes = ${64 * MIB}`,
  ]);
  assert.deepEqual(update(v1, of(64 * MIB, 64 * MIB), {}), [
    'memory/memory.memsw.limit_in_bytes = -1',
    'memory/memory.limit_in_bytes = -1',
  ]);
});

test('a limit that is left out is lifted', () => {
  const limits: CgroupResources = {
    cpus: 0.5,
    cpuShares: 512,
    pidsLimit: 5,
    blkioWeight: 100,
    blkioDeviceReadBps: [{ major: 8, minor: 0, value: 1 }],
    hugepageLimits: [{ pageSize: '2MB', limit: 0 }],
  };
  assert.deepEqual(update(v1, limits, {}).sort(), [
    'blkio/blkio.bfq.weight = 100',
    'blkio/blkio.throttle.read_bps_device = 8:0 0',
    'cpu/cpu.cfs_period_us = 100000',
    'cpu/cpu.cfs_quota_us = -1',
    'cpu/cpu.shares = 1024',
    'hugetlb/hugetlb.2MB.limit_in_bytes = -1',
    'pids/pids.max = max',
  ]);
  assert.deepEqual(update(v2, limits, {}).sort(), [
    'cpu.max = max 100000',
    'cpu.weight = 100',
    'hugetlb.2MB.max = max',
    'io.bfq.weight = default 100',
    'io.max = 8:0 rbps=max',
    'io.weight = default 100',
    'pids.max = max',
  ]);
});

test('of several throttles only the one that changes is written', () => {
  const current: CgroupResources = {
    blkioDeviceReadBps: [
      { major: 8, minor: 0, value: 1 },
      { major: 8, minor: 16, value: 2 },
    ],
    blkioDeviceWriteBps: [{ major: 8, minor: 0, value: 3 }],
  };
  const next = { ...current, blkioDeviceWriteBps: [{ major: 8, minor: 0, value: 4 }] };
  assert.deepEqual(update(v2, current, next), ['io.max = 8:0 wbps=4']);
  assert.deepEqual(update(v1, current, next), ['blkio/blkio.throttle.write_bps_device = 8:0 4']);
});

test('a controller that is needed from now on is handed down on v2', () => {
  assert.deepEqual(update(v2, {}, { cpusetCpus: '0' }), [
    'cgroup.subtree_control = +cpuset',
    'tscontainer/cgroup.subtree_control = +cpuset',
    'cpuset.cpus = 0',
  ]);
});

test('v2: a list of processors is lifted by an empty line, since an empty write is none', () => {
  assert.deepEqual(update(v2, { cpusetCpus: '0', cpusetMems: '0' }, {}), ['cpuset.mems = \n', 'cpuset.cpus = \n']);
});

test('v1: the group of a controller that is needed from now on is made, and has to be entered', () => {
  const plan = createCgroupManager(v1).update({ id: 'abc', current: {}, next: { cpusetCpus: '0' } });
  assert.deepEqual(
    plan.prepare.map((each) => (each.op === 'make-directory' ? `make ${short(each.path)}` : short(each.path))),
    [
      'make cpuset/tscontainer',
      'cpuset/tscontainer/cpuset.cpus',
      'cpuset/tscontainer/cpuset.mems',
      'cpuset/tscontainer/cgroup.clone_children',
      'make cpuset/tscontainer/abc',
    ],
  );
  assert.deepEqual(
    plan.writes.map(({ path, data }) => `${short(path)} = ${data}`),
    ['cpuset/cpuset.cpus = 0'],
  );
  assert.deepEqual(plan.enter, ['/sys/fs/cgroup/cpuset/tscontainer/abc']);
});

test('v1: who is in the cpuset stays there', () => {
  const stay = createCgroupManager(v1).update({ id: 'abc', current: { cpusetCpus: '0' }, next: { cpusetCpus: '1' } });
  assert.deepEqual([stay.prepare, stay.enter], [[], []]);
  assert.deepEqual(update(v1, { cpusetCpus: '0' }, { cpusetCpus: '1' }), ['cpuset/cpuset.cpus = 1']);
  assert.deepEqual(update(v1, { cpusetCpus: '0' }, {}), ['cpuset/cpuset.cpus = 0-1']);
});

test('limits out of range are refused before anything is written, also without cgroups', () => {
  const none: CgroupHost = { version: 'none', reason: 'none' };
  for (const host of [v1, v2, none]) assert.throws(() => update(host, {}, { memory: 1 }), { code: 'INVALID_OPTION' });
  assert.throws(() => update(none, {}, { memory: 64 * MIB }), { code: 'CONTROLLER_MISSING' });
  assert.deepEqual(update(none, {}, {}), []);
});
