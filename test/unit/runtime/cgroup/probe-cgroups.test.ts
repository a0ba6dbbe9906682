import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeCgroups } from '#lib/runtime/cgroup/probe-cgroups.js';
import { fakeCgroupFiles } from '../../../helpers/fake-cgroup-files.js';

const root = '/sys/fs/cgroup';

const v1 = {
  [`${root}/memory/cgroup.procs`]: '1\n',
  [`${root}/memory/memory.memsw.limit_in_bytes`]: '9223372036854771712\n',
  [`${root}/pids/cgroup.procs`]: '1\n',
  [`${root}/devices/cgroup.procs`]: '1\n',
  [`${root}/freezer/cgroup.procs`]: '1\n',
  [`${root}/cpu,cpuacct/cgroup.procs`]: '1\n',
  [`${root}/cpu`]: `-> ${root}/cpu,cpuacct`,
  [`${root}/cpuacct`]: `-> ${root}/cpu,cpuacct`,
  [`${root}/cpuset/cgroup.procs`]: '1\n',
  [`${root}/cpuset/cpuset.cpus`]: '0-3\n',
  [`${root}/cpuset/cpuset.mems`]: '0\n',
};

test('v1 hierarchies are recognised, those that are mounted together by their one directory', async () => {
  assert.deepEqual(await probeCgroups(fakeCgroupFiles(v1)), {
    version: 'v1',
    hierarchies: {
      memory: `${root}/memory`,
      pids: `${root}/pids`,
      devices: `${root}/devices`,
      freezer: `${root}/freezer`,
      cpu: `${root}/cpu,cpuacct`,
      cpuacct: `${root}/cpu,cpuacct`,
      cpuset: `${root}/cpuset`,
    },
    swap: true,
    cpuset: { cpus: '0-3', mems: '0' },
    hybrid: false,
    blockWeightFiles: [],
  });
});

test('a hybrid host counts as v1, and a hierarchy that is not writable as missing', async () => {
  const tree = { ...v1, [`${root}/unified/cgroup.controllers`]: '\n', [`${root}/unified/cgroup.procs`]: '' };
  const host = await probeCgroups(fakeCgroupFiles(tree, [`${root}/pids`]));
  assert.equal(host.version, 'v1');
  assert.equal(host.version === 'v1' && host.hybrid, true);
  assert.equal(host.version === 'v1' && host.hierarchies.pids, undefined);
});

const v2 = {
  [`${root}/cgroup.controllers`]: 'cpuset cpu io memory hugetlb pids rdma misc\n',
  [`${root}/cgroup.subtree_control`]: 'memory pids\n',
  [`${root}/cgroup.procs`]: '1\n2\n',
  [`${root}/system.slice/memory.max`]: 'max\n',
  [`${root}/system.slice/memory.swap.max`]: 'max\n',
};

test('the top of a v2 tree can hand down every controller', async () => {
  assert.deepEqual(await probeCgroups(fakeCgroupFiles(v2)), {
    version: 'v2',
    root,
    controllers: ['memory', 'pids', 'cpu', 'cpuset', 'io', 'hugetlb'],
    enabled: ['memory', 'pids'],
    swap: true,
    deviceFilter: false,
    blockWeightFiles: [],
  });
});

test('programs for devices are loaded outside of user namespaces only, and where the kernel has bpf(2)', async () => {
  const bpf = { '/proc/sys/kernel/unprivileged_bpf_disabled': '2\n' };
  const whole = { '/proc/self/uid_map': '         0          0 4294967295\n' };
  const nested = { '/proc/self/uid_map': '         0     100000      65536\n' };
  for (const [files, expected] of [
    [{ ...bpf, ...whole }, true],
    [{ ...bpf, ...nested }, false],
    [whole, false],
  ] as const) {
    const host = await probeCgroups(fakeCgroupFiles({ ...v2, ...files }));
    assert.equal(host.version === 'v2' && host.deviceFilter, expected, JSON.stringify(files));
  }
});

test('below the top, a v2 group with processes can only use what is handed down already', async () => {
  const host = await probeCgroups(fakeCgroupFiles({ ...v2, [`${root}/cgroup.type`]: 'domain\n' }));
  assert.deepEqual(host.version === 'v2' && host.controllers, ['memory', 'pids']);
});

test('a kernel that does not count swap is recognised', async () => {
  const { [`${root}/system.slice/memory.swap.max`]: _, ...noSwap } = v2;
  const host = await probeCgroups(fakeCgroupFiles(noSwap), root, '0::/system.slice\n');
  assert.equal(host.version === 'v2' && host.swap, false);
});

test('a host without cgroups, or with read-only ones, is told with its reason', async () => {
  assert.deepEqual(await probeCgroups(fakeCgroupFiles({})), {
    version: 'none',
    reason: 'no cgroup hierarchy is mounted below /sys/fs/cgroup',
  });
  for (const tree of [v1, v2]) {
    const host = await probeCgroups(fakeCgroupFiles(tree, [root]));
    assert.equal(host.version, 'none');
    assert.match(host.version === 'none' ? host.reason : '', /not writable/);
  }
});

test('the files that take weights of block I/O are those of a group, or those that the counters at the top tell of', async () => {
  const weights = async (tree: Readonly<Record<string, string>>): Promise<unknown> => {
    const host = await probeCgroups(fakeCgroupFiles(tree));
    return host.version === 'none' ? undefined : host.blockWeightFiles;
  };
  const blkio = { [`${root}/blkio/cgroup.procs`]: '' };
  assert.deepEqual(await weights({ ...v1, ...blkio }), []);
  assert.deepEqual(await weights({ ...v1, ...blkio, [`${root}/blkio/blkio.bfq.io_serviced`]: '' }), [
    'blkio.bfq.weight',
  ]);
  assert.deepEqual(await weights({ ...v1, ...blkio, [`${root}/blkio/a/blkio.weight`]: '' }), ['blkio.weight']);
  assert.deepEqual(await weights({ ...v2, [`${root}/io.cost.model`]: '' }), ['io.weight']);
  assert.deepEqual(await weights({ ...v2, '/sys/module/bfq/refcnt': '' }), ['io.bfq.weight']);
  assert.deepEqual(await weights({ ...v1, ...blkio, '/sys/module/bfq/refcnt': '' }), ['blkio.bfq.weight']);
  const below = { [`${root}/system.slice/io.bfq.weight`]: '', [`${root}/system.slice/io.weight`]: '' };
  assert.deepEqual(await weights({ ...v2, ...below }), ['io.bfq.weight', 'io.weight']);
});
