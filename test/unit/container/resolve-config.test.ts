import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ContainerConfig } from '#lib/container/container-config.js';
import type { ContainerOptions } from '#lib/container/container-options.js';
import { resolveConfig } from '#lib/container/resolve-config.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { ImageConfig, ImageRunConfig } from '#lib/core/image-config.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';

const id = '0123456789ab'.padEnd(64, 'f');

function resolve(options: Partial<ContainerOptions> = {}, config: ImageRunConfig = { Cmd: ['app'] }): ContainerConfig {
  const image: ImageConfig = { os: 'linux', architecture: 'amd64', config, rootfs: { diff_ids: [] } };
  return resolveConfig(id, { image: 'x', ...options }, image);
}

function assertRefused(options: Partial<ContainerOptions>, option: string): void {
  assert.throws(
    () => resolve(options),
    (error) => {
      assert.ok(EngineError.is(error, 'INVALID_OPTION'), String(error));
      assert.equal(error.data.option, option);
      assert.ok(error.data.expected.length > 0 && error.message.includes(option));
      return true;
    },
    JSON.stringify(options),
  );
}

test('without options a container is what the defaults say', () => {
  assert.deepEqual(resolve(), {
    arguments: ['app'],
    environment: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOSTNAME=0123456789ab'],
    workingDir: '/',
    user: '',
    groups: [],
    hostname: '0123456789ab',
    labels: {},
    network: 'bridge',
    ports: [],
    extraHosts: [],
    mounts: [],
    readonlyRoot: false,
    shmBytes: 64 * 1024 * 1024,
    capabilities: [
      ...['CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP'],
      ...['SETPCAP', 'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'],
    ],
    noNewPrivileges: false,
    seccomp: 'default',
    resources: {},
    ulimits: [],
    stopSignal: 15,
    stopTimeoutMs: 10_000,
    lifetime: 'owner',
    stdio: {
      openStdin: false,
      stdinOnce: false,
      log: { driver: 'files', maxBytes: 20 * 1024 * 1024, maxFiles: 5 },
    },
  });
});

test('the image says what the options leave open', () => {
  const config = resolve(
    {},
    {
      Entrypoint: ['/entry'],
      Cmd: ['word'],
      Env: ['A=1', 'PATH=/p'],
      WorkingDir: '/srv',
      User: 'www:www',
      StopSignal: 'SIGQUIT',
      Labels: { from: 'image' },
    },
  );
  assert.deepEqual(config.arguments, ['/entry', 'word']);
  assert.deepEqual(config.environment, ['PATH=/p', 'HOSTNAME=0123456789ab', 'A=1']);
  assert.deepEqual([config.workingDir, config.user, config.stopSignal], ['/srv', 'www:www', 3]);
  assert.deepEqual(config.labels, { from: 'image' });
});

test('options win over the image', () => {
  const config = resolve(
    {
      entrypoint: 'mine',
      command: ['x'],
      env: { A: '2', B: undefined },
      workingDir: '/w',
      user: '5:6',
      groupAdd: ['tty', '7'],
      stopSignal: 9,
      labels: { a: 'mine' },
      hostname: 'box',
    },
    { Entrypoint: ['/entry'], Cmd: ['word'], Env: ['A=1', 'B=1'], User: 'www', Labels: { a: 'image', b: 'image' } },
  );
  assert.deepEqual(config.arguments, ['mine', 'x']);
  assert.deepEqual(config.environment.slice(1), ['HOSTNAME=box', 'A=2']);
  assert.deepEqual([config.workingDir, config.user, config.groups], ['/w', '5:6', ['tty', '7']]);
  assert.deepEqual([config.stopSignal, config.labels], [9, { a: 'mine', b: 'image' }]);
});

test('empty strings of the image are as if left out', () => {
  const config = resolve({}, { Cmd: ['app'], WorkingDir: '', User: '', StopSignal: '' });
  assert.deepEqual([config.workingDir, config.user, config.stopSignal], ['/', '', 15]);
});

test('a user of the image that is none is refused as one of the options is', () => {
  assert.throws(
    () => resolve({}, { Cmd: ['app'], User: '4294967296' }),
    (error) => EngineError.is(error, 'INVALID_OPTION') && error.data.option === 'user',
  );
});

describe('resources', () => {
  test('sizes are bytes or texts', () => {
    const { resources } = resolve({ memory: '200m', memorySwap: '1g', memoryReservation: 100_000_000 });
    assert.deepEqual(resources, {
      memory: 200 * 1024 ** 2,
      memorySwap: 1024 ** 3,
      memoryReservation: 100_000_000,
    });
  });

  test('what is not given is not there', () => {
    assert.deepEqual(resolve({ cpus: 1.5, pidsLimit: -1 }).resources, { cpus: 1.5, pidsLimit: -1 });
  });

  test('unlimited swap is kept', () => {
    assert.equal(resolve({ memory: '10m', memorySwap: -1 }).resources.memorySwap, -1);
    assert.equal(resolve({ memory: '10m', memorySwap: '-1' }).resources.memorySwap, -1);
  });

  test('bounds', () => {
    assertRefused({ memory: '5m' }, 'memory');
    assertRefused({ memory: 'much' }, 'memory');
    assertRefused({ memory: -1 }, 'memory');
    assertRefused({ memory: 1.5 }, 'memory');
    assertRefused({ memorySwap: '10m' }, 'memorySwap');
    assertRefused({ memory: '10m', memorySwap: '9m' }, 'memorySwap');
    assertRefused({ memory: '10m', memoryReservation: '11m' }, 'memoryReservation');
    assertRefused({ cpus: 0.001 }, 'cpus');
    assertRefused({ cpus: Number.NaN }, 'cpus');
    assertRefused({ cpus: 1, cpuQuota: 5000 }, 'cpus');
    assertRefused({ cpuShares: 1 }, 'cpuShares');
    assertRefused({ cpuShares: 262_145 }, 'cpuShares');
    assertRefused({ cpuPeriod: 999 }, 'cpuPeriod');
    assertRefused({ cpuQuota: 999 }, 'cpuQuota');
    assertRefused({ cpusetCpus: '0;1' }, 'cpusetCpus');
    assertRefused({ cpusetMems: 'all' }, 'cpusetMems');
    assertRefused({ pidsLimit: -2 }, 'pidsLimit');
  });
});

describe('mounts', () => {
  test('a bind says what its source was, a tmpfs has its defaults', async (context) => {
    const directory = await scopedDirectory(context);
    writeFileSync(join(directory, 'file'), '');
    const { mounts } = resolve({
      mounts: [
        { type: 'bind', source: directory, target: '/data/../data/' },
        { type: 'bind', source: join(directory, 'file'), target: '/file', readonly: true },
        { type: 'tmpfs', target: '/tmp' },
        { type: 'tmpfs', target: '/small', size: '1m', mode: 0o700 },
      ],
    });
    assert.deepEqual(mounts, [
      { type: 'bind', source: directory, target: '/data/', readonly: false, isFile: false },
      { type: 'bind', source: join(directory, 'file'), target: '/file', readonly: true, isFile: true },
      { type: 'tmpfs', target: '/tmp', mode: 0o1777 },
      { type: 'tmpfs', target: '/small', mode: 0o700, sizeBytes: 1024 ** 2 },
    ]);
  });

  test('a source must exist, also behind a link', async (context) => {
    const directory = await scopedDirectory(context);
    symlinkSync('/nowhere', join(directory, 'dangling'));
    for (const name of ['missing', 'dangling']) {
      assertRefused({ mounts: [{ type: 'bind', source: join(directory, name), target: '/x' }] }, 'mounts[0].source');
    }
  });

  test('paths are absolute, and the root is no target', () => {
    const tmpfs = (target: string) => ({ mounts: [{ type: 'tmpfs', target }] as const });
    assertRefused(tmpfs('data'), 'mounts[0].target');
    assertRefused(tmpfs('/'), 'mounts[0].target');
    assertRefused(tmpfs('/a/..'), 'mounts[0].target');
    assertRefused(tmpfs('/a\0b'), 'mounts[0].target');
    assertRefused(tmpfs(`/${'x'.repeat(5000)}`), 'mounts[0].target');
    assertRefused({ mounts: [{ type: 'bind', source: 'etc', target: '/x' }] }, 'mounts[0].source');
    assertRefused({ mounts: [{ type: 'tmpfs', target: '/a', mode: 0o10000 }] }, 'mounts[0].mode');
    assertRefused({ mounts: [{ type: 'tmpfs', target: '/a', size: 'big' }] }, 'mounts[0].size');
    assertRefused({ mounts: [{ type: 'nfs', target: '/a' } as never] }, 'mounts[0].type');
  });
});

describe('ulimits', () => {
  test('a number is both limits, -1 is unlimited', () => {
    assert.deepEqual(resolve({ ulimits: { nofile: 1024, core: { soft: 0, hard: -1 }, stack: -1 } }).ulimits, [
      { resource: 7, soft: 1024, hard: 1024 },
      { resource: 4, soft: 0, hard: -1 },
      { resource: 3, soft: -1, hard: -1 },
    ]);
  });

  test('the soft limit is not above the hard one', () => {
    assertRefused({ ulimits: { nofile: { soft: 2, hard: 1 } } }, 'ulimits.nofile');
    assertRefused({ ulimits: { nofile: { soft: -1, hard: 1 } } }, 'ulimits.nofile');
    assertRefused({ ulimits: { nofile: -2 } }, 'ulimits.nofile');
    assertRefused({ ulimits: { nofile: 1.5 } }, 'ulimits.nofile');
    assertRefused({ ulimits: { files: 1 } as never }, 'ulimits.files');
    assertRefused({ ulimits: { constructor: 1 } as never }, 'ulimits.constructor');
  });
});

test('capabilities are added and dropped by name', () => {
  assert.deepEqual(resolve({ capDrop: ['ALL'], capAdd: ['net_admin'] }).capabilities, ['NET_ADMIN']);
  assertRefused({ capAdd: ['CAP_NONSENSE'] }, 'capAdd');
  assertRefused({ capDrop: [''] }, 'capDrop');
});

test('ports are parsed, and a wrong one is named', () => {
  const [port] = resolve({ ports: ['127.0.0.1::443/tcp'] }).ports;
  assert.deepEqual(port, { hostAddress: '127.0.0.1', hostPort: 0, containerPort: 443, protocol: 'tcp' });
  assert.throws(
    () => resolve({ ports: ['80:99999'] }),
    (error) => EngineError.is(error, 'INVALID_PORT_MAPPING'),
  );
});

test('a hostname is one of the kernel’s', () => {
  assert.equal(resolve({ hostname: 'a.b-c' }).hostname, 'a.b-c');
  assert.equal(resolve({ hostname: 'x'.repeat(64) }).hostname.length, 64);
  for (const hostname of ['', '-a', 'a-', 'a b', 'a\nb', 'ä', 'x'.repeat(65)]) {
    assertRefused({ hostname }, 'hostname');
  }
});

test('users and groups that look like numbers and are none are refused', () => {
  for (const user of ['01', '0x1', ' 1', '+1', '-1', '4294967296', 'a:b:c', '2147483648']) {
    assertRefused({ user }, 'user');
  }
  for (const group of ['', 'a:b', '01']) assertRefused({ groupAdd: [group] }, 'groupAdd');
});

test('the rest of the ranges', () => {
  assertRefused({ workingDir: 'relative' }, 'workingDir');
  assertRefused({ oomScoreAdj: -1001 }, 'oomScoreAdj');
  assertRefused({ oomScoreAdj: 1001 }, 'oomScoreAdj');
  assertRefused({ oomScoreAdj: 0.5 }, 'oomScoreAdj');
  assertRefused({ stopTimeoutMs: -1 }, 'stopTimeoutMs');
  assertRefused({ stopTimeoutMs: Number.POSITIVE_INFINITY }, 'stopTimeoutMs');
  assertRefused({ stopSignal: 'SIGNONE' }, 'stopSignal');
  assertRefused({ stopSignal: 0 }, 'stopSignal');
  assertRefused({ stopSignal: 65 }, 'stopSignal');
  assertRefused({ shmSize: 'x' }, 'shmSize');
  assertRefused({ network: 'mesh' as never }, 'network');
  assertRefused({ lifetime: 'forever' as never }, 'lifetime');
  assertRefused({ seccomp: 'strict' as never }, 'seccomp');
  assertRefused({ extraHosts: ['db'] }, 'extraHosts');
  assertRefused({ extraHosts: ['db:10.0.0.1\n6.6.6.6 bank'] }, 'extraHosts');
  assert.equal(resolve({ oomScoreAdj: -1000 }).oomScoreAdj, -1000);
  assert.equal(resolve({ stopTimeoutMs: 0 }).stopTimeoutMs, 0);
});

test('a profile is kept as text, with its large numbers', () => {
  const profile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [
      { names: ['clone'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 2n ** 63n, op: 'SCMP_CMP_EQ' }] },
    ],
  } as const;
  const { seccomp } = resolve({ seccomp: profile });
  assert.ok(seccomp.includes('9223372036854775808'));
});

test('nothing to run is refused', () => {
  assert.throws(
    () => resolve({}, {}),
    (error) => EngineError.is(error, 'INVALID_OPTION') && error.data.option === 'command',
  );
});

test('what is resolved can be stored and read back', () => {
  const config = resolve({
    memory: '10m',
    ports: ['80'],
    ulimits: { core: 0 },
    mounts: [{ type: 'tmpfs', target: '/t' }],
  });
  assert.deepEqual(JSON.parse(JSON.stringify(config)), config);
});
