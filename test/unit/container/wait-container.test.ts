import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { again, openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

describe('wait', () => {
  test('before, during and after the end, it is the same exit', async (context) => {
    const { create, engine } = await openMemoryLab(context);
    const container = await create(['polite']);
    await container.start();
    const early = container.wait();
    const stranger = (await again(engine, container)).wait();
    await container.stop();
    assert.deepEqual(await early, await container.wait());
    assert.deepEqual(await stranger, await early);
  });

  test('also after the removal, by whom has started it', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['exit', '4']);
    await container.start();
    await container.remove({ force: true });
    const { exitCode } = await container.wait();
    assert.ok([4, 137].includes(exitCode));
    assert.deepEqual(await container.wait(), await container.wait());
  });

  test('a wait that is under way sees the exit of a forced removal', async (context) => {
    const { create, other } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.start();
    const here = container.wait();
    const there = (await (await other()).containers.get(container.id)).wait();
    await container.remove({ force: true });
    assert.equal((await here).signal, 'SIGKILL');
    assert.deepEqual(await there, await here);
  });

  test('an exit is known after the removal, in every process, by object and by id', async (context) => {
    const { create, other, services } = await openMemoryLab(context);
    for (const lifetime of ['owner', 'detached'] as const) {
      const container = await create(['exit', '4'], { lifetime });
      const elsewhere = await other();
      const foreign = await elsewhere.containers.get(container.id);
      assert.equal(await elsewhere.containers.exitOf(container.id), undefined);
      await container.start();
      const exit = await container.wait();
      assert.deepEqual(await elsewhere.containers.exitOf(container.name), exit);
      await container.remove();
      assert.deepEqual(await foreign.wait(), exit);
      assert.deepEqual(await foreign.wait({ condition: 'removed' }), exit);
      assert.deepEqual(await elsewhere.containers.exitOf(container.id.slice(0, 12)), exit);
    }
    await rejection((await other()).containers.exitOf('0123456789ab'), 'NO_SUCH_CONTAINER');
    services.containers.exits.sweep(Date.now() + 2 * 60 * 60 * 1000);
    assert.deepEqual(readdirSync(services.layout.runExits()), [], 'and forgotten after an hour');
  });

  test('for a removal sees it, with the exit if there was one', async (context) => {
    const { create, other } = await openMemoryLab(context);
    const unused = await create(['hang']);
    const used = await create(['hang']);
    await used.start();
    const elsewhere = await other();
    const waits = [unused, used].map(async ({ id }) =>
      (await elsewhere.containers.get(id)).wait({ condition: 'removed' }),
    );
    assert.equal(await Promise.race([...waits, used.stop({ timeoutMs: 0 }).then(() => 'stopped')]), 'stopped');
    await unused.remove();
    await used.remove();
    assert.deepEqual(
      (await Promise.all(waits)).map((exit) => exit?.signal),
      [undefined, 'SIGKILL'],
    );
    assert.equal(await unused.wait({ condition: 'removed' }), undefined);
  });

  test('for the next exit passes over the one before, and needs no start', async (context) => {
    const { create, other } = await openMemoryLab(context);
    const container = await create(['exit', '4']);
    const foreign = await (await other()).containers.get(container.id);
    let last: number | undefined;
    for (let round = 0; round < 3; round++) {
      const next = [container, foreign].map((each) => each.wait({ condition: 'next-exit' }));
      await container.start();
      const [exit, same] = await Promise.all(next);
      assert.deepEqual([exit, exit], [same, await container.wait()]);
      assert.notEqual(exit?.finishedAt.getTime(), last);
      last = exit?.finishedAt.getTime();
    }
    const never = rejection(container.wait({ condition: 'next-exit' }), 'NO_SUCH_CONTAINER');
    await container.remove();
    await never;
  });

  test('another condition is refused', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['hang']);
    const condition = 'running' as 'removed';
    assert.equal((await rejection(container.wait({ condition }), 'INVALID_OPTION')).data.option, 'condition');
  });

  test('what was never started, or is gone, cannot be waited for', async (context) => {
    const { create, engine } = await openMemoryLab(context);
    const container = await create(['hang']);
    const other = await again(engine, container);
    assert.equal((await rejection(container.wait(), 'WRONG_STATE')).data.wanted, 'started');
    await container.remove();
    await rejection(other.wait(), 'NO_SUCH_CONTAINER');
  });

  test('an abort ends the waiting alone', async (context) => {
    const { create, other } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.start();
    const elsewhere = await (await other()).containers.get(container.id);
    for (const each of [container, elsewhere]) {
      const controller = new AbortController();
      const waiting = each.wait({ signal: controller.signal });
      controller.abort(new Error('enough'));
      await assert.rejects(waiting, /enough/);
      await assert.rejects(each.wait({ signal: AbortSignal.abort(new Error('early')) }), /early/);
    }
    assert.equal(container.status, 'running');
  });
});
