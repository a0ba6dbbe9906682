import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Container, ContainerOptions } from 'tscontainer';
import { allowedProcessors, cpuMsOf, isCgroupV2, readGroupFile } from '../../helpers/container-group.js';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { rejection } from '../../helpers/rejection.js';

const MIB = 1024 * 1024;
const idle = ['sleep', '100000'];
const busy = ['sh', '-c', 'while :; do :; done'];

describe('an update of a running container', () => {
  let lab: EngineLab;
  let image: string;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
  });
  after(() => lab[Symbol.asyncDispose]());

  const start = async (options: Partial<ContainerOptions>): Promise<Container> => {
    const container = await lab.engine.containers.create({ image, network: 'none', command: idle, ...options });
    await container.start();
    return container;
  };
  const pidOf = async (container: Container): Promise<number> => (await container.inspect()).pid ?? 0;
  const limitsOf = async ({ id }: Container): Promise<string[]> =>
    Promise.all([
      readGroupFile(id, ['memory', 'memory.limit_in_bytes'], 'memory.max'),
      readGroupFile(id, ['pids', 'pids.max'], 'pids.max'),
      readGroupFile(id, ['cpu', 'cpu.shares'], 'cpu.weight'),
    ]);

  test('is in the files of the host and of the container, and lasts over a restart', async () => {
    await using container = await start({ memory: 64 * MIB, pidsLimit: 20 });
    await container.update({ memory: 96 * MIB, pidsLimit: 30, cpuShares: 2048 });
    const expected = [String(96 * MIB), '30', isCgroupV2() ? '174' : '2048'];
    assert.deepEqual(await limitsOf(container), expected);
    const script = 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null';
    assert.equal((await container.exec(['sh', '-c', script])).stdout, `${96 * MIB}\n`);
    await container.stop({ timeoutMs: 0 });
    await container.update({ pidsLimit: 40 });
    await container.start();
    assert.deepEqual(await limitsOf(container), [expected[0], '40', expected[2]]);
  });

  test('on memory kills what takes more, and leaves alone what takes less', async () => {
    await using container = await start({ memory: 200 * MIB, memorySwap: 200 * MIB });
    const allocate = (size: string) => container.exec(['dd', 'if=/dev/zero', 'of=/dev/null', `bs=${size}`, 'count=1']);
    assert.equal((await allocate('60M')).exitCode, 0);
    await container.update({ memory: 32 * MIB, memorySwap: 32 * MIB });
    assert.equal((await allocate('60M')).exitCode, 137);
    assert.equal((await allocate('8M')).exitCode, 0);
    assert.equal((await container.stats()).memory?.oomKills, 1);
    await container.update({ memory: 0, memorySwap: 0 });
    assert.equal((await allocate('60M')).exitCode, 0);
  });

  test('puts all processes on other processors, though the container had no such limit', async () => {
    await using container = await start({ command: ['sh', '-c', 'sleep 100000 & wait'] });
    const pids = async (): Promise<number[]> => (await container.top()).map(({ pid }) => pid);
    const all = await allowedProcessors(process.pid);
    const everywhere = async (): Promise<string[]> => Promise.all((await pids()).map(allowedProcessors));
    assert.deepEqual(await everywhere(), [all, all]);
    await container.update({ cpusetCpus: '1' });
    assert.deepEqual(await everywhere(), ['1', '1']);
    assert.equal((await container.exec(['nproc'])).stdout, '1\n');
    await container.update({ cpusetCpus: '0' });
    assert.deepEqual(await everywhere(), ['0', '0']);
    await container.update({ cpusetCpus: '' });
    assert.deepEqual(await everywhere(), [all, all]);
    await container.update({ cpusetCpus: '1' });
    assert.deepEqual(await everywhere(), ['1', '1']);
  });

  test('overlooks no process that joins at the same time', async () => {
    await using container = await start({});
    const joining = Array.from({ length: 12 }, async () => {
      const process = await container.spawn(['sleep', '100000']);
      return process.pid;
    });
    await Promise.race(joining);
    await container.update({ cpusetCpus: '0' });
    const pids = await Promise.all(joining);
    assert.deepEqual(
      await Promise.all(pids.map(allowedProcessors)),
      pids.map(() => '0'),
    );
  });

  test('bounds processor time from then on, and lifts the bound again', async () => {
    await using container = await start({ command: busy });
    const pid = await pidOf(container);
    await container.update({ cpus: 0.1 });
    // Periods of 100 ms, each with 10 ms: measured over some of them.
    const throttled = async (): Promise<number> => (await container.stats()).cpu?.throttling?.throttledPeriods ?? 0;
    const before = { cpu: await cpuMsOf(pid), periods: await throttled() };
    const startedAt = performance.now();
    while ((await throttled()) < before.periods + 5) await new Promise((resolve) => setImmediate(resolve));
    const share = ((await cpuMsOf(pid)) - before.cpu) / (performance.now() - startedAt);
    assert.ok(share < 0.2, `${share} of a processor`);
    await container.update({ cpus: 0 });
    assert.equal(
      await readGroupFile(container.id, ['cpu', 'cpu.cfs_quota_us'], 'cpu.max'),
      isCgroupV2() ? 'max 100000' : '-1',
    );
  });

  test('that the kernel refuses leaves every limit as it was', async () => {
    await using container = await start({ memory: 64 * MIB, cpusetCpus: '0' });
    const before = await limitsOf(container);
    const error = await rejection(container.update({ pidsLimit: 7, cpusetCpus: '900' }), 'SYSTEM_CALL_FAILED');
    assert.match(error.data.operand, /'900' to .*cpuset\.cpus$/);
    assert.match(error.data.hint, /processors/);
    assert.deepEqual(await limitsOf(container), before);
    assert.equal(await allowedProcessors(await pidOf(container)), '0');
    assert.deepEqual((await container.inspect()).config.resources, { memory: 64 * MIB, cpusetCpus: '0' });
  });

  test('can be made while it is paused', async () => {
    await using container = await start({});
    await container.pause();
    await container.update({ cpusetCpus: '1', pidsLimit: 9 });
    assert.equal(container.status, 'paused');
    assert.equal(await allowedProcessors(await pidOf(container)), '1');
    await container.unpause();
    const status = await readFile(`/proc/${await pidOf(container)}/status`, 'utf8');
    assert.match(status, /^State:\s+S/m);
  });
});
