import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Container, ContainerOptions } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';

const MIB = 1024 * 1024;
const group = '/sys/fs/cgroup/tscontainer';

describe('limits on cgroup v2', () => {
  let lab: EngineLab;
  let image: string;

  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
  });
  after(() => lab[Symbol.asyncDispose]());

  const start = async (options: Partial<ContainerOptions>): Promise<Container> => {
    const command = ['sleep', '600'];
    const container = await lab.engine.containers.create({ image, network: 'none', command, ...options });
    await container.start();
    return container;
  };

  const limits = {
    memory: 64 * MIB,
    memorySwap: 96 * MIB,
    memoryReservation: 16 * MIB,
    cpus: 0.5,
    cpuShares: 512,
    cpusetCpus: '1',
    pidsLimit: 50,
  };
  const expected = {
    'memory.max': String(64 * MIB),
    'memory.swap.max': String(32 * MIB),
    'memory.low': String(16 * MIB),
    'cpu.max': '50000 100000',
    'cpu.weight': '59',
    'cpuset.cpus': '1',
    'cpuset.cpus.effective': '1',
    'pids.max': '50',
  };

  test('are in the files of the host and, read-only, in those that the container sees as its own', async () => {
    await using container = await start(limits);
    const names = Object.keys(expected);
    const outside = await Promise.all(names.map((name) => readFile(`${group}/${container.id}/${name}`, 'utf8')));
    assert.deepEqual(Object.fromEntries(names.map((name, index) => [name, outside[index]?.trim()])), expected);
    const inside = await container.exec(['sh', '-c', `cd /sys/fs/cgroup && cat ${names.join(' ')}`]);
    assert.deepEqual(inside.stdout.trim().split('\n'), Object.values(expected));
    assert.equal((await container.exec(['cat', '/proc/self/cgroup'])).stdout, '0::/\n');
    assert.equal((await container.exec(['nproc'])).stdout, '1\n');
    const write = await container.exec(['sh', '-c', 'echo max > /sys/fs/cgroup/memory.max']);
    assert.match(write.stderr, /Read-only file system/);
  });

  test('of another kind are none: without an option nothing is limited but what hosts limit', async () => {
    await using container = await start({});
    const read = (name: string): Promise<string> => readFile(`${group}/${container.id}/${name}`, 'utf8');
    assert.deepEqual(
      await Promise.all(['memory.max', 'memory.swap.max', 'pids.max'].map(read)),
      Array(3).fill('max\n'),
    );
    assert.equal(await read('cpu.max'), 'max 100000\n');
  });

  test('on memory end a program, and the reason is told', async () => {
    const result = await lab.engine.run(image, ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1'], {
      memory: 32 * MIB,
      memorySwap: 32 * MIB,
      network: 'none',
    });
    assert.deepEqual([result.exitCode, result.signal, result.oomKilled], [137, 'SIGKILL', true]);
  });

  test('on memory leave an honest program alone, and SIGKILL is not taken for a lack of memory', async () => {
    const options = { memory: 64 * MIB, network: 'none' } as const;
    const honest = await lab.engine.run(image, ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=8M', 'count=1'], options);
    assert.deepEqual([honest.exitCode, honest.oomKilled], [0, false]);
    const killed = await lab.engine.run(
      image,
      ['sh', '-c', 'kill -KILL $$; exec sleep 600 & kill -KILL $!; exit 137'],
      options,
    );
    assert.deepEqual([killed.exitCode, killed.oomKilled], [137, false]);
  });

  test('on processes hold', async () => {
    const script = 'for i in 1 2 3 4 5 6 7 8; do sleep 0.1 & done; wait';
    const bounded = await lab.engine.run(image, ['sh', '-c', script], { pidsLimit: 4, network: 'none' });
    assert.match(bounded.stderr, /fork/);
    const free = await lab.engine.run(image, ['sh', '-c', script], { pidsLimit: 40, network: 'none' });
    assert.deepEqual([free.exitCode, free.stderr], [0, '']);
  });

  test('leave nothing: 20 containers in a row, and every group is gone', async () => {
    for (let index = 0; index < 20; index += 1) {
      const result = await lab.engine.run(image, ['sh', '-c', `echo ${index}; exit ${index}`], {
        memory: 64 * MIB,
        pidsLimit: 20,
        network: 'none',
      });
      assert.deepEqual([result.exitCode, result.stdout, result.oomKilled], [index, `${index}\n`, false]);
    }
    const left = await readdir(group, { withFileTypes: true });
    assert.deepEqual(
      left.filter((entry) => entry.isDirectory()),
      [],
    );
  });
});
