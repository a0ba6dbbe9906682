import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CgroupHost } from '#lib/runtime/cgroup/cgroup-host.js';
import { createCgroupManager } from '#lib/runtime/cgroup/create-cgroup-manager.js';
import type { CgroupResources } from '#lib/runtime/cgroup/resources.js';
import { cgroupHosts } from '../../../helpers/cgroup-hosts.js';

const { v1, v2 } = cgroupHosts;
const MIB = 1024 * 1024;

const update = (host: CgroupHost, current: CgroupResources, next: CgroupResources): string[] =>
  createCgroupManager(host)
    .update({ id: 'abc', current, next })
    .map(({ path, data }) => `${path.replace('/sys/fs/cgroup/', '').replace('tscontainer/abc/', '')} = ${data}`);

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

test('a controller that is needed from now on is handed down on v2; on v1 processes would have to move', () => {
  assert.deepEqual(update(v2, {}, { cpusetCpus: '0' }), [
    'cgroup.subtree_control = +cpuset',
    'tscontainer/cgroup.subtree_control = +cpuset',
    'cpuset.cpus = 0',
  ]);
  assert.throws(() => update(v1, {}, { cpusetCpus: '0' }), { code: 'CONTROLLER_MISSING' });
  assert.deepEqual(update(v1, { cpusetCpus: '0' }, { cpusetCpus: '1' }), ['cpuset/cpuset.cpus = 1']);
  assert.deepEqual(update(v1, { cpusetCpus: '0' }, {}), ['cpuset/cpuset.cpus = 0-1']);
});

test('limits out of range are refused before anything is written, also without cgroups', () => {
  const none: CgroupHost = { version: 'none', reason: 'none' };
  for (const host of [v1, v2, none]) assert.throws(() => update(host, {}, { memory: 1 }), { code: 'INVALID_OPTION' });
  assert.throws(() => update(none, {}, { memory: 64 * MIB }), { code: 'CONTROLLER_MISSING' });
  assert.deepEqual(update(none, {}, {}), []);
});
