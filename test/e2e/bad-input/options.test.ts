import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ContainerOptions, ErrorCode } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { rejection } from '../../helpers/rejection.js';

interface BadOption {
  /** Options as a program without types could pass them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly code?: ErrorCode;
  /** What the data of the error must name. Default: the name of the (first) option. */
  readonly names?: string;
}

const bad: readonly BadOption[] = [
  { options: { command: [''] } },
  { options: { command: ['a\0b'] } },
  { options: { command: 'ls -l' } },
  { options: { command: [1] } },
  { options: { entrypoint: 5 } },
  { options: { entrypoint: '', command: [''] }, names: 'command' },
  { options: { name: '' }, code: 'INVALID_NAME' },
  { options: { name: '../x' }, code: 'INVALID_NAME', names: '../x' },
  { options: { name: '-x' }, code: 'INVALID_NAME', names: '-x' },
  { options: { name: 'x'.repeat(64) }, code: 'INVALID_NAME', names: 'xxx' },
  { options: { name: 'a\nb' }, code: 'INVALID_NAME' },
  { options: { name: 5 } },
  { options: { env: { '': 'x' } } },
  { options: { env: { 'A=B': 'x' } } },
  { options: { env: ['=x'] } },
  { options: { env: { A: 'x\0y' } } },
  { options: { env: { A: 5 } } },
  { options: { env: [5] } },
  { options: { env: 'A=1' } },
  { options: { workingDir: 'relative' } },
  { options: { workingDir: '' } },
  { options: { workingDir: '/a\0b' } },
  { options: { workingDir: 5 } },
  { options: { hostname: '' } },
  { options: { hostname: '-a' } },
  { options: { hostname: 'a b' } },
  { options: { hostname: 'a'.repeat(65) } },
  { options: { hostname: 5 } },
  { options: { labels: { a: 5 } } },
  { options: { labels: 'a=5' } },
  { options: { network: 'nope' } },
  { options: { network: 5 } },
  { options: { ports: ['0:80'] }, code: 'INVALID_PORT_MAPPING', names: '0:80' },
  { options: { ports: ['65536:80'] }, code: 'INVALID_PORT_MAPPING', names: '65536:80' },
  { options: { ports: ['80:80/sctp'] }, code: 'INVALID_PORT_MAPPING', names: 'sctp' },
  { options: { ports: ['x'] }, code: 'INVALID_PORT_MAPPING', names: 'x' },
  { options: { ports: ['999.0.0.1:80:80'] }, code: 'INVALID_PORT_MAPPING', names: '999.0.0.1' },
  { options: { ports: ['8080:80', '8080:81'] }, code: 'INVALID_PORT_MAPPING', names: '8080' },
  { options: { ports: '8080:80' } },
  { options: { ports: [8080] } },
  { options: { extraHosts: ['nocolon'] } },
  { options: { extraHosts: ['a:not-an-address'] } },
  { options: { extraHosts: ['a b:1.2.3.4'] } },
  { options: { extraHosts: ['a:1.2.3.4\n6.6.6.6 evil'] } },
  { options: { extraHosts: 'a:1.2.3.4' } },
  { options: { mounts: 'x' } },
  { options: { mounts: [null] }, names: 'mounts[0]' },
  { options: { mounts: [{ type: 'volume', source: 'v', target: '/x' }] }, names: 'mounts[0].type' },
  { options: { mounts: [{ type: 'bind', source: 'relative', target: '/x' }] }, names: 'mounts[0].source' },
  { options: { mounts: [{ type: 'bind', source: '/does/not/exist', target: '/x' }] }, names: '/does/not/exist' },
  { options: { mounts: [{ type: 'bind', source: '/etc/passwd/x', target: '/x' }] }, names: '/etc/passwd/x' },
  { options: { mounts: [{ type: 'bind', source: '/tmp\0x', target: '/x' }] }, names: 'mounts[0].source' },
  { options: { mounts: [{ type: 'bind', source: '/tmp', target: 'x' }] }, names: 'mounts[0].target' },
  { options: { mounts: [{ type: 'bind', source: '/tmp', target: '/' }] }, names: 'mounts[0].target' },
  { options: { mounts: [{ type: 'bind', source: '/tmp', target: '/x/..' }] }, names: 'mounts[0].target' },
  { options: { mounts: [{ type: 'bind', source: '/tmp', target: '/.' }] }, names: 'mounts[0].target' },
  { options: { mounts: [{ type: 'bind', source: '/tmp', target: '//' }] }, names: 'mounts[0].target' },
  {
    options: { mounts: [{ type: 'bind', source: '/tmp', target: '/x', readonly: 'yes' }] },
    names: 'mounts[0].readonly',
  },
  { options: { mounts: [{ type: 'tmpfs', target: '/x', size: '1x' }] }, names: 'mounts[0].size' },
  { options: { mounts: [{ type: 'tmpfs', target: '/x', size: -1 }] }, names: 'mounts[0].size' },
  { options: { mounts: [{ type: 'tmpfs', target: '/x', mode: 0o10000 }] }, names: 'mounts[0].mode' },
  { options: { readonly: 'yes' } },
  { options: { shmSize: '64q' } },
  { options: { shmSize: -1 } },
  { options: { shmSize: {} } },
  { options: { memory: '5m' } },
  { options: { memory: 'lots' } },
  { options: { memory: Number.NaN } },
  { options: { memory: 1.5 } },
  { options: { memory: {} } },
  { options: { memorySwap: '100m' } },
  { options: { memory: '200m', memorySwap: '100m' }, names: 'memorySwap' },
  { options: { memory: '200m', memorySwap: -2 }, names: 'memorySwap' },
  { options: { memory: '200m', memoryReservation: '300m' }, names: 'memoryReservation' },
  { options: { cpus: -1 } },
  { options: { cpus: Number.POSITIVE_INFINITY } },
  { options: { cpus: '1' } },
  { options: { cpus: 1, cpuQuota: 1000 } },
  { options: { cpuShares: 1 } },
  { options: { cpuShares: 262_145 } },
  { options: { cpuShares: 2.5 } },
  { options: { cpuQuota: 999 } },
  { options: { cpuPeriod: 999 } },
  { options: { cpuPeriod: 1_000_001 } },
  { options: { cpusetCpus: 'a' } },
  { options: { cpusetCpus: '1-0' } },
  { options: { cpusetCpus: '0\n' } },
  { options: { cpusetMems: '0,' } },
  { options: { pidsLimit: -2 } },
  { options: { pidsLimit: 1.5 } },
  { options: { pidsLimit: '5' } },
  { options: { user: '4294967296' } },
  { options: { user: '2147483648' } },
  { options: { user: '-1' } },
  { options: { user: '0x0' } },
  { options: { user: ' 0' } },
  { options: { user: '01' } },
  { options: { user: 'a:b:c' } },
  { options: { user: '1000:4294967296' } },
  { options: { user: 'root\n' } },
  { options: { user: 0 } },
  { options: { groupAdd: [''] } },
  { options: { groupAdd: ['0:0'] } },
  { options: { groupAdd: ['4294967296'] } },
  { options: { groupAdd: '1000' } },
  { options: { groupAdd: [5] } },
  { options: { capAdd: ['NOPE'] } },
  { options: { capAdd: 'NET_ADMIN' } },
  { options: { capDrop: ['CAP_'] } },
  { options: { capDrop: [5] } },
  { options: { noNewPrivileges: 1 } },
  { options: { seccomp: 'off' } },
  { options: { seccomp: {} } },
  { options: { seccomp: { defaultAction: 'SCMP_ACT_NOPE' } } },
  { options: { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: 'x' }] } } },
  { options: { ulimits: { nope: 1 } } },
  { options: { ulimits: { nofile: -2 } } },
  { options: { ulimits: { nofile: { soft: 2, hard: 1 } } } },
  { options: { ulimits: { nofile: { soft: -1, hard: 1 } } } },
  { options: { ulimits: { nofile: '5' } } },
  { options: { ulimits: { nofile: null } } },
  { options: { ulimits: [1] } },
  { options: { oomScoreAdj: 1001 } },
  { options: { oomScoreAdj: '1' } },
  { options: { stopSignal: 'SIGNOPE' } },
  { options: { stopSignal: 0 } },
  { options: { stopSignal: 65 } },
  { options: { stopSignal: {} } },
  { options: { stopTimeoutMs: -1 } },
  { options: { stopTimeoutMs: Number.NaN } },
  { options: { stopTimeoutMs: 2 ** 31 } },
  { options: { lifetime: 'forever' } },
  { options: { pull: 'sometimes' } },
  { options: { memroy: '64m' } },
  { options: { image: '' }, code: 'INVALID_REFERENCE' },
  { options: { image: 'UPPER' }, code: 'INVALID_REFERENCE', names: 'UPPER' },
  { options: { image: 'a'.repeat(2000) }, code: 'INVALID_REFERENCE' },
  { options: { image: '../../etc/passwd' }, code: 'INVALID_REFERENCE', names: '../../etc/passwd' },
  { options: { image: 'http://a/b' }, code: 'INVALID_REFERENCE', names: 'http://a/b' },
  { options: { image: 'a@sha256:123' }, code: 'INVALID_REFERENCE' },
  { options: { image: undefined } },
  { options: { image: 5 } },
];

describe('every bad option of a container is refused with its name, before anything exists', () => {
  let lab: EngineLab;
  let image: string;

  before(async () => {
    lab = await openEngineLab();
    image = (await lab.engine.images.fromHost({ binaries: ['/bin/busybox'], tag: 'lab/options' })).name;
  });
  after(() => lab[Symbol.asyncDispose]());

  for (const { options, code = 'INVALID_OPTION', names } of bad) {
    test(show(options), async () => {
      const all = { image, command: ['/bin/busybox', 'true'], ...options } as unknown as ContainerOptions;
      const error = await rejection(lab.engine.containers.create(all), code);
      assert.equal(error.kind, 'invalid');
      const operand = names ?? (code === 'INVALID_OPTION' ? (Object.keys(options)[0] ?? '') : '');
      assert.ok(JSON.stringify(error.data).includes(operand), `${JSON.stringify(error.data)} names ${operand}`);
      assert.deepEqual(await readdir(join(lab.options.root, 'containers')), []);
      assert.deepEqual(await readdir(join(lab.options.runRoot, 'containers')), []);
    });
  }

  test('and the same options with good values are taken', async () => {
    const good: ContainerOptions = {
      image,
      command: ['/bin/busybox', 'true'],
      name: 'good',
      env: { A: '1', B: undefined },
      workingDir: '/tmp',
      hostname: 'host',
      labels: { a: 'b' },
      network: 'none',
      extraHosts: ['a:1.2.3.4'],
      mounts: [
        { type: 'bind', source: '/tmp', target: '/x', readonly: true },
        { type: 'tmpfs', target: '/y', size: '1m', mode: 0o700 },
      ],
      readonly: false,
      shmSize: '1m',
      memory: '64m',
      cpus: 0.5,
      cpuShares: 512,
      pidsLimit: 10,
      user: '1000:1000',
      groupAdd: ['5'],
      capAdd: ['net_admin'],
      capDrop: ['CAP_MKNOD'],
      noNewPrivileges: true,
      ulimits: { nofile: { soft: 10, hard: 20 } },
      oomScoreAdj: 100,
      stopSignal: 'SIGINT',
      stopTimeoutMs: 0,
      lifetime: 'owner',
      pull: 'never',
    };
    const container = await lab.engine.containers.create(good);
    await container.start();
    assert.equal((await container.wait()).exitCode, 0);
    await container.remove();
  });
});

function show(options: Readonly<Record<string, unknown>>): string {
  const text = Object.entries(options).map(([name, value]) => `${name}: ${JSON.stringify(value) ?? String(value)}`);
  return text.join(', ').slice(0, 100);
}
