import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Container } from '#lib/container/container.js';
import { createNoCgroupManager } from '#lib/runtime/cgroup/none/no-cgroup-manager.js';
import { again, openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

describe('pause', () => {
  test('is seen by every object, engine, list and inspection, and ended by unpause', async (context) => {
    const { create, engine, other } = await openMemoryLab(context);
    const container = await create(['hang'], { name: 'web' });
    await container.start();
    const { pid } = await container.inspect();
    const elsewhere = await other();
    const events: string[] = [];
    engine.on('container.paused', ({ name }) => events.push(`paused ${name}`));
    engine.on('container.unpaused', ({ name }) => events.push(`unpaused ${name}`));
    await container.pause();
    const foreign = await elsewhere.containers.get('web');
    assert.deepEqual([container.status, foreign.status], ['paused', 'paused']);
    assert.deepEqual(
      (await elsewhere.containers.list()).map(({ status }) => status),
      ['paused'],
    );
    const seen = await foreign.inspect();
    assert.deepEqual([seen.status, seen.pid], ['paused', pid]);
    await foreign.unpause();
    assert.deepEqual([container.status, foreign.status], ['running', 'running']);
    assert.deepEqual(events, ['paused web'], 'events are those of this process');
  });

  test('of a container in the wrong state is refused, and so are starts, commands and second pauses', async (context) => {
    const { create, engine, launcher } = await openMemoryLab(context);
    const container = await create(['hang']);
    assert.equal((await rejection(container.pause(), 'WRONG_STATE')).data.status, 'created');
    assert.equal((await rejection(container.unpause(), 'WRONG_STATE')).data.wanted, 'paused');
    await container.start();
    assert.equal((await rejection(container.unpause(), 'WRONG_STATE')).data.status, 'running');
    await container.pause();
    const stranger = await again(engine, container);
    const attempts = [
      () => container.pause(),
      () => stranger.pause(),
      () => container.start(),
      () => container.exec(['exit', '0']),
      () => stranger.spawn(['exit', '0']),
      () => container.remove(),
    ];
    for (const attempt of attempts) assert.equal((await rejection(attempt(), 'WRONG_STATE')).data.status, 'paused');
    assert.equal(launcher.launches.length, 1);
    assert.equal(container.status, 'paused');
    await container.unpause();
    assert.equal((await container.exec(['exit', '4'])).exitCode, 4);
  });

  for (const [title, end] of [
    ['stop', (container) => container.stop()],
    ['a stop with another signal', (container) => container.stop({ stopSignal: 'SIGTERM' })],
    ['its stop signal', (container) => container.kill('SIGTERM')],
  ] satisfies [string, (container: Container) => Promise<unknown>][]) {
    test(`ends with ${title}, so that the program can handle it`, async (context) => {
      const { create, cgroups } = await openMemoryLab(context);
      const container = await create(['polite']);
      await container.start();
      await container.pause();
      await end(container);
      assert.equal((await container.wait()).exitCode, 7);
      const frozen = cgroups.writes.filter(({ path }) => path.endsWith('cgroup.freeze')).map(({ data }) => data);
      assert.deepEqual(frozen, ['1', '0']);
    });
  }

  test('does not keep a container from being killed or removed', async (context) => {
    const { create, engine } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.start();
    await container.pause();
    await container.kill();
    assert.equal((await container.wait()).signal, 'SIGKILL');
    await container.start();
    await container.pause();
    await container.remove({ force: true });
    assert.deepEqual(await engine.containers.list(), []);
  });

  test('outlasts any other signal', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.start();
    await container.pause();
    await container.kill('SIGUSR1');
    assert.equal(container.status, 'paused');
  });

  test('that comes while a container is killed does not keep it', async (context) => {
    const { create, services } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.start();
    // As on cgroup v1, where a frozen process takes no signal: the first one comes after the pause.
    const live = services.containers.live.get(container.id);
    assert.ok(live !== undefined);
    const { signal } = live.process;
    let signals = 0;
    live.process.signal = (number) => {
      signals += 1;
      return signals === 1 ? true : signal.call(live.process, number);
    };
    const stopping = container.stop({ timeoutMs: 0 });
    await container.pause();
    assert.equal((await stopping).signal, 'SIGKILL');
    assert.ok(signals > 1);
  });

  test('on a host that cannot is refused', async (context) => {
    const { create, services } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.start();
    Object.assign(services.containers, { cgroups: createNoCgroupManager({ reason: 'none' }) });
    assert.equal((await rejection(container.pause(), 'CONTROLLER_MISSING')).data.controller, 'freezer');
    assert.equal(container.status, 'running');
  });

  test('an aborted one is none', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.start();
    await assert.rejects(container.pause({ signal: AbortSignal.abort(new Error('no')) }), /no/);
    assert.equal(container.status, 'running');
  });
});
