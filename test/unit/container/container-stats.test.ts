import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ContainerStats } from '#lib/container/container-stats.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

const MIB = 1024 * 1024;

async function running(context: Parameters<typeof openMemoryLab>[0]) {
  const lab = await openMemoryLab(context);
  const container = await lab.create(['hang'], { memory: '64m' });
  await container.start();
  const group = `${lab.cgroups.host.root}/tscontainer/${container.id}`;
  return {
    ...lab,
    container,
    set: (name: string, text: string) => void lab.cgroups.files.set(`${group}/${name}`, text),
  };
}

describe('stats', () => {
  test('a single measurement has what the host counts, and processor time since the start', async (context) => {
    const { container, set } = await running(context);
    set('memory.current', `${32 * MIB}\n`);
    set('memory.stat', `file ${20 * MIB}\ninactive_file ${16 * MIB}\n`);
    set('cpu.stat', 'usage_usec 1000000000\nuser_usec 600000000\nsystem_usec 400000000\n');
    const { startedAt } = await container.inspect();
    const stats = await container.stats();
    assert.equal(stats.memory?.usageBytes, 16 * MIB);
    assert.equal(stats.memory?.limitBytes, 64 * MIB);
    assert.equal(stats.memoryPercent, 25);
    assert.deepEqual([stats.cpu?.usageMs, stats.cpu?.userMs, stats.cpu?.systemMs], [1_000_000, 600_000, 400_000]);
    const seconds = (stats.readAt.getTime() - (startedAt?.getTime() ?? 0)) / 1000;
    const expected = (1000 / seconds) * 100;
    assert.ok(Math.abs((stats.cpuPercent ?? 0) / expected - 1) < 0.5, `${stats.cpuPercent} of about ${expected}`);
    assert.equal(stats.networks, undefined, 'the fake is in the network of the host');
    assert.deepEqual(stats.pids, { current: 1 });
  });

  test('in an iteration processor time is that since the measurement before', async (context) => {
    const { container, set } = await running(context);
    const seen: ContainerStats[] = [];
    for await (const stats of container.stats({ intervalMs: 20 })) {
      seen.push(stats);
      if (seen.length === 3) break;
      set('cpu.stat', `usage_usec ${seen.length * 1000}\n`);
    }
    const [, second, third] = seen;
    const elapsed = (third?.readAt.getTime() ?? 0) - (second?.readAt.getTime() ?? 0);
    assert.ok(elapsed >= 19, 'the interval is kept');
    const percent = third?.cpuPercent ?? 0;
    assert.ok(percent > 0 && percent <= 100 / 19, `${percent}: 1 ms in ${elapsed} ms`);
  });

  test('an iteration ends with the container, at once and with its removal too', async (context) => {
    for (const end of ['kill', 'remove'] as const) {
      const { container } = await running(context);
      let count = 0;
      const startedAt = performance.now();
      for await (const _ of container.stats({ intervalMs: 60_000 })) {
        count += 1;
        void (end === 'kill' ? container.kill() : container.remove({ force: true }));
      }
      assert.equal(count, 1);
      assert.ok(performance.now() - startedAt < 30_000, 'the interval was not waited for');
    }
  });

  test('what does not run is not measured', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['exit', '0']);
    assert.equal((await rejection(container.stats(), 'WRONG_STATE')).data.status, 'created');
    const first = container.stats({ intervalMs: 10 })[Symbol.asyncIterator]().next();
    await rejection(first, 'WRONG_STATE');
    await container.start();
    await container.wait();
    assert.equal((await rejection(container.stats(), 'WRONG_STATE')).data.status, 'exited');
  });

  test('an abort ends an iteration with its reason, and so does the end of the engine', async (context) => {
    const { container, engine } = await running(context);
    const controller = new AbortController();
    const { signal } = controller;
    const iterator = container.stats({ intervalMs: 60_000, signal })[Symbol.asyncIterator]();
    assert.equal((await iterator.next()).done, false);
    const next = iterator.next();
    controller.abort(new Error('enough'));
    await assert.rejects(next, /enough/);
    const other = container.stats({ intervalMs: 60_000 })[Symbol.asyncIterator]();
    await other.next();
    const last = rejection(other.next(), 'CLOSED');
    await engine.close();
    await last;
  });

  test('intervals out of range are refused', async (context) => {
    const { container } = await running(context);
    for (const intervalMs of [0, -1, 1.5, Number.NaN, 2 ** 31, '5' as never, undefined as never]) {
      const first = container.stats({ intervalMs })[Symbol.asyncIterator]().next();
      assert.equal((await rejection(first, 'INVALID_OPTION')).data.option, 'intervalMs');
    }
  });
});
