import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError, type ErrorCode } from '#lib/core/errors/engine-error.js';
import type { CgroupPlan } from '#lib/runtime/cgroup/cgroup.js';
import type { CgroupHost } from '#lib/runtime/cgroup/cgroup-host.js';
import { cpuWeight } from '#lib/runtime/cgroup/cpu-weight.js';
import { createCgroupManager } from '#lib/runtime/cgroup/create-cgroup-manager.js';
import type { CgroupResources } from '#lib/runtime/cgroup/resources.js';
import { memoryWrites } from '#lib/runtime/cgroup/v1/memory-writes.js';
import { cgroupHosts } from '../../../helpers/cgroup-hosts.js';

const root = '/sys/fs/cgroup';
const { v1, v2 } = cgroupHosts;

const none: CgroupHost = { version: 'none', reason: 'no cgroup hierarchy is mounted below /sys/fs/cgroup' };

const plan = (host: CgroupHost, resources: CgroupResources = {}, cgroupParent?: string): CgroupPlan =>
  createCgroupManager(host, { cgroupParent }).plan({ id: 'abc', resources });

/** `path = data` for each write; the common prefix is cut. */
const writes = (made: CgroupPlan): string[] =>
  made.prepare.flatMap((each) =>
    each.op === 'write-file' ? [`${each.path.replace(`${root}/`, '')} = ${each.data}`] : [],
  );

const memory = 209_715_200;

test('v1: every container joins the hierarchies for limits, counters and control, and no more', () => {
  const made = plan(v1);
  const joined = ['memory', 'pids', 'devices', 'freezer', 'cpu', 'cpuacct', 'blkio'].map(
    (each) => `${root}/${each}/tscontainer/abc`,
  );
  assert.deepEqual(
    made.join.map((each) => each.path),
    joined,
  );
  assert.deepEqual(
    made.cleanup.map((each) => each.op === 'remove-directory' && each.path),
    [...joined, `${root}/cpuset/tscontainer/abc`, `${root}/hugetlb/tscontainer/abc`],
    'an update may have made the others',
  );
  assert.deepEqual(made.prepare.slice(-7), made.join);
  assert.equal(made.enforcesDevices, true);
  assert.equal(made.files.oomKills, `${root}/memory/tscontainer/abc/memory.oom_control`);
});

test('v1: limits are written with the semantics of Docker', () => {
  const resources = { memory, cpus: 1.5, cpuShares: 512, pidsLimit: 100, memoryReservation: 1_048_576 };
  const made = writes(plan(v1, resources)).filter((each) => !each.includes('devices.'));
  assert.deepEqual(made, [
    'memory/tscontainer/abc/memory.limit_in_bytes = 209715200',
    'memory/tscontainer/abc/memory.memsw.limit_in_bytes = 419430400',
    'memory/tscontainer/abc/memory.soft_limit_in_bytes = 1048576',
    'cpu/tscontainer/abc/cpu.shares = 512',
    'cpu/tscontainer/abc/cpu.cfs_period_us = 100000',
    'cpu/tscontainer/abc/cpu.cfs_quota_us = 150000',
    'pids/tscontainer/abc/pids.max = 100',
  ]);
});

test('v1: devices are denied first, then the default ones allowed', () => {
  const made = plan(v1).prepare.filter((each) => each.op === 'write-values');
  assert.deepEqual(
    made.map(({ path }) => path.replace(/.*\/devices\/tscontainer\/abc\//, '')),
    ['devices.deny', 'devices.allow'],
  );
  assert.deepEqual(made[0]?.values, ['a']);
  const allowed = made[1]?.values ?? [];
  for (const rule of ['c 1:3 rwm', 'c 136:* rwm', 'b *:* m']) assert.ok(allowed.includes(rule), rule);
  assert.ok(!allowed.some((each) => /^b .*[rw]/.test(each)), 'no block device can be opened');
});

test('v1: a cpuset gets what its parent has before the wanted subset', () => {
  const made = writes(plan(v1, { cpusetCpus: '1' })).filter((each) => each.startsWith('cpuset/'));
  assert.deepEqual(made, [
    'cpuset/tscontainer/cpuset.cpus = 0-1',
    'cpuset/tscontainer/cpuset.mems = 0',
    'cpuset/tscontainer/cgroup.clone_children = 1',
    'cpuset/tscontainer/abc/cpuset.cpus = 1',
  ]);
});

test('v1: memory+swap is written first only when it rises above the present limit', () => {
  const order = (bytes: number | 'unlimited', current: number | 'unlimited'): string[] =>
    memoryWrites('/m', { limit: memory, withSwap: { bytes, explicit: true } }, true, current).map((each) =>
      each.path.includes('memsw') ? 'swap' : 'memory',
    );
  assert.deepEqual(order(2 * memory, 'unlimited'), ['memory', 'swap']);
  assert.deepEqual(order(2 * memory, 3 * memory), ['memory', 'swap']);
  assert.deepEqual(order(2 * memory, memory / 2), ['swap', 'memory']);
  assert.deepEqual(order('unlimited', memory), ['swap', 'memory']);
});

test('v1: controllers that are mounted together are made, joined and removed once', () => {
  const both = `${root}/cpu,cpuacct`;
  const made = plan({ ...v1, hierarchies: { cpu: both, cpuacct: both, memory: `${root}/memory` } });
  assert.deepEqual(
    made.join.map((each) => each.path),
    [`${root}/memory/tscontainer/abc`, `${both}/tscontainer/abc`],
  );
  assert.equal(made.enforcesDevices, false);
});

test('v2: controllers are handed down, limits written, the child is placed by one join', () => {
  const resources = { memory, memorySwap: memory, cpus: 0.5, cpuShares: 1024, pidsLimit: -1, cpusetCpus: '0' };
  const made = plan(v2, resources, '/ci/jobs');
  assert.deepEqual(writes(made), [
    'cgroup.subtree_control = +pids +cpu +cpuset +io',
    'ci/cgroup.subtree_control = +memory +pids +cpu +cpuset +io',
    'ci/jobs/cgroup.subtree_control = +memory +pids +cpu +cpuset +io',
    'ci/jobs/tscontainer/cgroup.subtree_control = +memory +pids +cpu +cpuset +io',
    'ci/jobs/tscontainer/abc/memory.max = 209715200',
    'ci/jobs/tscontainer/abc/memory.swap.max = 0',
    'ci/jobs/tscontainer/abc/cpu.weight = 100',
    'ci/jobs/tscontainer/abc/cpu.max = 50000 100000',
    'ci/jobs/tscontainer/abc/cpuset.cpus = 0',
    'ci/jobs/tscontainer/abc/pids.max = max',
  ]);
  assert.deepEqual(made.prepare.at(-1), { op: 'join-cgroup', path: `${root}/ci/jobs/tscontainer/abc` });
  assert.deepEqual(made.sharedDirectories, [`${root}/ci/jobs/tscontainer`]);
});

test('v2: a program restricts devices before anything is in the group, where the kernel takes programs', () => {
  const operations = plan(v2).prepare.map((each) => each.op);
  assert.deepEqual(operations.slice(-2), ['device-filter', 'join-cgroup']);
  assert.equal(plan(v2).enforcesDevices, true);
  const without = plan({ ...v2, deviceFilter: false });
  assert.ok(!without.prepare.some((each) => each.op === 'device-filter'));
  assert.equal(without.enforcesDevices, false);
});

test('shares become weights: the ends and the default meet', () => {
  assert.deepEqual([2, 1024, 262_144].map(cpuWeight), [1, 100, 10_000]);
  assert.ok(cpuWeight(512) < cpuWeight(1024) && cpuWeight(512) > 1);
});

test('a memory limit without swap accounting stands alone; an explicit swap limit is refused', () => {
  for (const host of [
    { ...v1, swap: false },
    { ...v2, swap: false },
  ]) {
    assert.ok(!writes(plan(host, { memory })).some((each) => each.includes('sw')), 'no swap file is written');
    assert.deepEqual(plan(host, { memory, memorySwap: -1 }).join.length > 0, true);
    assertFails(() => plan(host, { memory, memorySwap: memory }), 'CONTROLLER_MISSING', 'memorySwap');
  }
});

function assertFails(work: () => unknown, code: ErrorCode, option: string): void {
  assert.throws(work, (error) => {
    assert.ok(EngineError.is(error, code), String(error));
    assert.equal((error.data as { option: string }).option, option);
    return true;
  });
}

test('a limit that the host cannot enforce is refused, never left out', () => {
  const wanted: [CgroupResources, string][] = [
    [{ memory }, 'memory'],
    [{ cpus: 1 }, 'cpus'],
    [{ cpuShares: 512 }, 'cpuShares'],
    [{ cpusetMems: '0' }, 'cpusetMems'],
    [{ pidsLimit: 10 }, 'pidsLimit'],
    [{ blkioWeight: 10 }, 'blkioWeight'],
    [{ blkioWeightDevice: [{ major: 8, minor: 0, value: 10 }] }, 'blkioWeightDevice'],
    [{ blkioDeviceWriteIops: [{ major: 8, minor: 0, value: 10 }] }, 'blkioDeviceWriteIops'],
    [{ hugepageLimits: [{ pageSize: '2MB', limit: 0 }] }, 'hugepageLimits'],
  ];
  for (const host of [none, { ...v1, hierarchies: { freezer: `${root}/freezer` } }, { ...v2, controllers: [] }]) {
    for (const [resources, option] of wanted) assertFails(() => plan(host, resources), 'CONTROLLER_MISSING', option);
  }
  assert.deepEqual(plan(none).prepare, []);
  assert.deepEqual(plan(none, { pidsLimit: -1, memory: 0 }).prepare, []);
});

test('limits out of range name the option', () => {
  const wrong: [CgroupResources, string][] = [
    [{ memory: 6 * 1024 * 1024 - 1 }, 'memory'],
    [{ memory: -1 }, 'memory'],
    [{ memory, memorySwap: memory - 1 }, 'memorySwap'],
    [{ memorySwap: memory }, 'memorySwap'],
    [{ memorySwap: -1 }, 'memorySwap'],
    [{ memory, memoryReservation: memory + 1 }, 'memoryReservation'],
    [{ cpus: 0.001 }, 'cpus'],
    [{ cpus: Number.NaN }, 'cpus'],
    [{ cpus: 1, cpuQuota: 5000 }, 'cpus'],
    [{ cpuPeriod: 10 }, 'cpuPeriod'],
    [{ cpuShares: 1 }, 'cpuShares'],
    [{ cpuShares: 262_145 }, 'cpuShares'],
    [{ cpusetCpus: '0\n1' }, 'cpusetCpus'],
    [{ cpusetCpus: '0-' }, 'cpusetCpus'],
    [{ pidsLimit: 1.5 }, 'pidsLimit'],
    [{ pidsLimit: -2 }, 'pidsLimit'],
    [{ blkioWeight: 9 }, 'blkioWeight'],
    [{ blkioWeight: 1001 }, 'blkioWeight'],
    [{ blkioWeightDevice: [{ major: 8, minor: 0, value: 5 }] }, 'blkioWeightDevice'],
    [{ blkioDeviceReadBps: [{ major: -1, minor: 0, value: 5 }] }, 'blkioDeviceReadBps'],
    [{ blkioDeviceReadIops: [{ major: 8, minor: 2 ** 20, value: 5 }] }, 'blkioDeviceReadIops'],
    [{ blkioDeviceWriteBps: [{ major: 8, minor: 0, value: 0 }] }, 'blkioDeviceWriteBps'],
    [{ hugepageLimits: [{ pageSize: '../x', limit: 5 }] }, 'hugepageLimits'],
    [{ hugepageLimits: [{ pageSize: '2MB', limit: -1 }] }, 'hugepageLimits'],
  ];
  for (const [resources, option] of wrong) assertFails(() => plan(v1, resources), 'INVALID_OPTION', option);
});

test('no parent and no id leads out of the engine’s own group', () => {
  for (const parent of ['..', '/a/../b', 'a/.', 'a\nb', '.hidden', '/tasks', 'cgroup.procs', 'a\0']) {
    assertFails(() => createCgroupManager(v1, { cgroupParent: parent }), 'INVALID_OPTION', 'cgroupParent');
  }
  for (const id of ['..', '', 'a/b', '.', 'tasks']) {
    assertFails(() => createCgroupManager(v2).plan({ id, resources: {} }), 'INVALID_OPTION', 'id');
  }
});
