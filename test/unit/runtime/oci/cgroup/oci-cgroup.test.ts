import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { CgroupHierarchy } from '#lib/runtime/oci/cgroup/cgroup-view.js';
import { ociCgroupPath } from '#lib/runtime/oci/cgroup/oci-cgroup-path.js';
import { ociDeviceRules } from '#lib/runtime/oci/cgroup/oci-device-rules.js';
import { planOciCgroup } from '#lib/runtime/oci/cgroup/plan-oci-cgroup.js';
import { readHierarchies } from '#lib/runtime/oci/cgroup/read-hierarchies.js';
import { resourceWrites } from '#lib/runtime/oci/cgroup/resource-writes.js';
import type { OciResources } from '#lib/runtime/oci/oci-resources.js';

const v1: readonly CgroupHierarchy[] = ['memory', 'cpu', 'cpuset', 'pids', 'devices', 'blkio'].map((name) => {
  return { version: 1, directory: `/sys/fs/cgroup/${name}`, controllers: [name] };
});
const v2: readonly CgroupHierarchy[] = [
  { version: 2, directory: '/sys/fs/cgroup', controllers: ['memory', 'cpu', 'cpuset', 'pids', 'io'] },
];
const nothing = (): undefined => undefined;
const lines = (resources: OciResources, hierarchies = v1, version: 'v1' | 'v2' = 'v1', read = nothing) =>
  resourceWrites(resources, version, hierarchies, read, 'update').map(({ file, data }) => `${file} ${data}`);

describe('hierarchies of a host', () => {
  const line = (directory: string, type: string, options: string) =>
    `30 25 0:26 / ${directory} rw,relatime - ${type} cgroup ${options}`;

  test('v1 with a v2 hierarchy beside is v1', () => {
    const found = readHierarchies(
      [
        line('/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'rw,cpu,cpuacct'),
        line('/sys/fs/cgroup/systemd', 'cgroup', 'rw,xattr,name=systemd'),
        line('/sys/fs/cgroup/with\\040space', 'cgroup', 'rw,memory'),
        line('/elsewhere/memory', 'cgroup', 'rw,memory'),
        line('/sys/fs/cgroup/unified', 'cgroup2', 'rw'),
      ].join('\n'),
      () => 'hugetlb\n',
    );
    assert.deepEqual(found, [
      { version: 1, directory: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct'] },
      { version: 1, directory: '/sys/fs/cgroup/systemd', controllers: ['name=systemd'] },
      { version: 1, directory: '/sys/fs/cgroup/with space', controllers: ['memory'] },
    ]);
  });

  test('v2 alone is v2', () => {
    const found = readHierarchies(line('/sys/fs/cgroup', 'cgroup2', 'rw,nsdelegate'), () => 'cpu io memory\n');
    assert.deepEqual(found, [{ version: 2, directory: '/sys/fs/cgroup', controllers: ['cpu', 'io', 'memory'] }]);
  });
});

describe('the path of a group', () => {
  test('absolute, relative, absent, of systemd', () => {
    assert.equal(ociCgroupPath('/a//b/./c', 'x', false), '/a/b/c');
    assert.equal(ociCgroupPath('a/b', 'x', false), '/a/b');
    assert.equal(ociCgroupPath(undefined, 'x', false), '/tscontainer-oci-x');
    assert.equal(ociCgroupPath('a-b.slice:p:n', 'x', true), '/a.slice/a-b.slice/p-n.scope');
  });

  test('what leads elsewhere is refused', () => {
    for (const path of ['/', '../x', '/a/../../b', '/cgroup.procs', '/a/tasks', '/memory.max', 'a\nb']) {
      assert.throws(
        () => ociCgroupPath(path, 'x', false),
        (error) => EngineError.is(error, 'INVALID_OCI_CONFIG'),
        path,
      );
    }
  });
});

describe('resources', () => {
  test('of v1', () => {
    assert.deepEqual(
      lines({
        memory: { limit: 1000n, swap: 2000n, reservation: 500n, swappiness: 0n },
        cpu: { shares: 512n, quota: 50_000n, period: 100_000n, cpus: '0-1' },
        pids: { limit: 0n },
        blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 7n }] },
      }),
      [
        'memory.limit_in_bytes 1000',
        'memory.memsw.limit_in_bytes 2000',
        'memory.soft_limit_in_bytes 500',
        'memory.swappiness 0',
        'cpu.shares 512',
        'cpu.cfs_period_us 100000',
        'cpu.cfs_quota_us 50000',
        'cpuset.cpus 0-1',
        'blkio.throttle.read_bps_device 8:0 7',
      ],
    );
  });

  test('of v2', () => {
    assert.deepEqual(
      lines(
        {
          memory: { limit: 1000n, swap: 3000n, reservation: -1n },
          cpu: { shares: 1024n, quota: -1n },
          pids: { limit: -1n },
          blockIO: { weight: 10, throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 7n }] },
          unified: { 'memory.high': '900' },
        },
        v2,
        'v2',
      ),
      [
        'memory.max 1000',
        'memory.swap.max 2000',
        'memory.low max',
        'cpu.weight 100',
        'cpu.max max 100000',
        'pids.max max',
        'io.weight default 1',
        'io.max 8:0 wiops=7',
        'memory.high 900',
      ],
    );
  });

  test('the two limits of memory are written in the order that the kernel takes', () => {
    const read = (_controller: string, file: string) => (file === 'memory.memsw.limit_in_bytes' ? '2000\n' : undefined);
    const of = (swap: bigint) =>
      resourceWrites({ memory: { limit: 1500n, swap } }, 'v1', v1, read, 'update').map(({ data }) => data);
    assert.deepEqual(of(3000n), ['3000', '1500']);
    assert.deepEqual(of(1800n), ['1500', '1800']);
  });

  test('what the host cannot do is an error, never left out', () => {
    const cases: readonly (readonly [OciResources, readonly CgroupHierarchy[], 'v1' | 'v2'])[] = [
      [{ hugepageLimits: [{ pageSize: '2MB', limit: 1n }] }, v1, 'v1'],
      [{ unified: { 'memory.high': '1' } }, v1, 'v1'],
      [{ network: { classID: 1 } }, v2, 'v2'],
      [{ cpu: { realtimeRuntime: 1n } }, v2, 'v2'],
      [{ rdma: { mlx: {} } }, v2, 'v2'],
    ];
    for (const [resources, hierarchies, version] of cases) {
      assert.throws(
        () => lines(resources, hierarchies, version),
        (error) => EngineError.is(error, 'CONTROLLER_MISSING'),
      );
    }
  });

  test('a file of v2 that is none is refused', () => {
    for (const file of ['../x', 'memory', 'memory/max', 'Memory.max', ''])
      assert.throws(
        () => lines({ unified: { [file]: '1' } }, v2, 'v2'),
        (error) => EngineError.is(error, 'INVALID_OCI_CONFIG'),
        file,
      );
  });
});

describe('devices', () => {
  test('a list that begins with denying everything leaves the devices that every container has', () => {
    const rules = ociDeviceRules([
      { allow: true, type: 'b', major: 8, access: 'rw' },
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 10, minor: 229, access: 'r' },
    ]);
    assert.deepEqual(rules.at(-1), { allow: true, type: 'char', major: 10, minor: 229, access: 'r' });
    assert.ok(rules.some(({ major, minor }) => major === 1 && minor === 3));
    assert.ok(!rules.some(({ type, major }) => type === 'block' && major === 8));
  });

  test('a v1 group denies everything first', () => {
    const writes = resourceWrites({}, 'v1', v1, nothing, 'create').map(({ file, data }) => `${file} ${data}`);
    assert.equal(writes[0], 'devices.deny a');
    assert.ok(writes.slice(1).every((each) => each.startsWith('devices.allow')));
  });

  test('a v2 group gets a program', () => {
    const view = { version: 'v2', path: '/x', hierarchies: v2, newNamespace: true } as const;
    const { prepare } = planOciCgroup(view, {}, { text: nothing });
    const filter = prepare.find((each) => each.op === 'device-filter');
    assert.ok(filter?.op === 'device-filter' && filter.path === '/sys/fs/cgroup/x' && filter.program.length > 0);
  });
});

test('a new cpuset inherits before it takes a process', () => {
  const view = {
    version: 'v1',
    path: '/a/b',
    hierarchies: v1.filter(({ controllers }) => controllers[0] === 'cpuset'),
    newNamespace: true,
  } as const;
  const files: Readonly<Record<string, string>> = {
    '/sys/fs/cgroup/cpuset/cpuset.cpus': '0-3\n',
    '/sys/fs/cgroup/cpuset/cpuset.mems': '0\n',
  };
  const { prepare, directories } = planOciCgroup(view, {}, { text: (path) => files[path] });
  assert.deepEqual(directories, ['/sys/fs/cgroup/cpuset/a/b']);
  assert.deepEqual(
    prepare.map((each) => `${each.op} ${'path' in each ? each.path.replace('/sys/fs/cgroup/cpuset', '') : ''}`),
    [
      'make-directory /a',
      'write-file /a/cpuset.cpus',
      'write-file /a/cpuset.mems',
      'make-directory /a/b',
      'write-file /a/b/cpuset.cpus',
      'write-file /a/b/cpuset.mems',
      'join-cgroup /a/b',
    ],
  );
});
