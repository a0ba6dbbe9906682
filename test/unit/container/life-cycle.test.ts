import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { again, openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

describe('start', () => {
  test('a container is created, runs, and has exited', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['polite']);
    assert.equal(container.status, 'created');
    await container.start();
    assert.equal(container.status, 'running');
    const { exitCode } = await container.stop();
    assert.deepEqual([exitCode, container.status], [7, 'exited']);
  });

  test('what runs is not started again, by nobody', async (context) => {
    const { create, engine, launcher } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.start();
    const other = await again(engine, container);
    assert.equal((await rejection(other.start(), 'WRONG_STATE')).data.status, 'running');
    assert.equal(launcher.launches.length, 1);
  });

  test('of many starts at once, through different objects and engines, one launches', async (context) => {
    const { create, engine, launcher, other } = await openMemoryLab(context);
    const container = await create(['hang']);
    const elsewhere = await (await other()).containers.get(container.id);
    const objects = [container, await again(engine, container), await again(engine, container), elsewhere];
    const results = await Promise.allSettled(objects.map((each) => each.start()));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal(launcher.launches.length, 1);
    for (const result of results) {
      if (result.status === 'rejected') assert.ok(EngineError.is(result.reason, 'WRONG_STATE'), String(result.reason));
    }
  });

  test('it can be started again after its end, with new files of the run', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['exit', '3']);
    for (let round = 0; round < 3; round++) {
      await container.start();
      assert.equal((await container.wait()).exitCode, 3);
    }
    assert.equal(container.status, 'exited');
  });

  test('a failed start leaves the container as it was: never started', async (context) => {
    const { create, services } = await openMemoryLab(context);
    const container = await create(['missing'], { ports: ['8080:80'] });
    const error = await rejection(container.start(), 'PROGRAM_NOT_FOUND');
    assert.deepEqual(error.data, { program: 'missing', exitCode: 127 });
    assert.equal(container.status, 'created');
    const network = services.containers.networks.get('bridge');
    assert.equal(await network?.inspect(container.id), undefined, 'its address was given back');
    const left = readdirSync(services.layout.runContainer(container.id));
    assert.ok(!left.includes('process') && !left.includes('exit'), 'no trace of a process');
  });

  test('a failed start leaves the container as it was: exited, with its exit', async (context) => {
    const { create, launcher } = await openMemoryLab(context);
    const container = await create(['exit', '9']);
    await container.start();
    const before = await container.wait();
    launcher.programs.set('exit', 'not executable');
    await rejection(container.start(), 'PROGRAM_NOT_EXECUTABLE');
    assert.equal(container.status, 'exited');
    assert.deepEqual(await container.wait(), before);
    assert.ok((await container.inspect()).startedAt instanceof Date);
  });

  test('an aborted start is no start', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['hang']);
    const reason = new Error('changed my mind');
    await assert.rejects(container.start({ signal: AbortSignal.abort(reason) }), (error) => error === reason);
    const controller = new AbortController();
    const starting = container.start({ signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(starting, (error) => error === reason);
    assert.equal(container.status, 'created');
    await container.start();
    assert.equal(container.status, 'running');
  });

  test('a removed container is not started', async (context) => {
    const { create, launcher, services } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.remove();
    assert.equal((await rejection(container.start(), 'NO_SUCH_CONTAINER')).data.reference, container.id);
    assert.equal(launcher.launches.length, 0);
    assert.ok(!existsSync(services.layout.runContainer(container.id)));
  });

  test('names and addresses are in the files of the container', async (context) => {
    const { create, services } = await openMemoryLab(context);
    const container = await create(['hang'], { hostname: 'box', extraHosts: ['db:10.9.9.9', 'host:host-gateway'] });
    await container.start();
    const directory = services.layout.runContainer(container.id);
    const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
    const { network } = await container.inspect();
    const [address] = network.addresses;
    assert.equal(read('hostname'), 'box\n');
    assert.ok(read('hosts').includes(`${address?.address}\tbox\n`));
    assert.ok(read('hosts').includes('10.9.9.9\tdb\n'));
    assert.ok(read('hosts').includes(`${address?.gateway}\thost\n`));
    assert.ok(read('resolv.conf').includes('nameserver 192.0.2.53'));
  });
});

describe('stop', () => {
  test('sends the signal of the container, or another one', async (context) => {
    const { create } = await openMemoryLab(context, {
      programs: {
        listener: async ({ onSignal }) =>
          new Promise<number>((resolve) => {
            for (const number of [3, 10, 15]) onSignal(number, () => resolve(number));
          }),
      },
    });
    const container = await create(['listener'], { stopSignal: 'SIGQUIT' });
    await container.start();
    assert.equal((await container.stop()).exitCode, 3);
    await container.start();
    assert.equal((await container.stop({ stopSignal: 'SIGUSR1' })).exitCode, 10);
  });

  test('kills what does not obey, after the time that it was given', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.start();
    const startedAt = performance.now();
    const exit = await container.stop({ timeoutMs: 50 });
    assert.deepEqual([exit.exitCode, exit.signal], [137, 'SIGKILL']);
    assert.ok(performance.now() - startedAt >= 49);
  });

  test('asks nothing and kills at once with a timeout of 0', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['polite']);
    await container.start();
    assert.equal((await container.stop({ timeoutMs: 0 })).signal, 'SIGKILL');
  });

  test('of what has ended is its exit', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['exit', '5']);
    await container.start();
    await container.wait();
    assert.equal((await container.stop()).exitCode, 5);
  });

  test('twice at once is one stop', async (context) => {
    const { create, engine } = await openMemoryLab(context);
    const container = await create(['polite']);
    await container.start();
    const [first, second] = await Promise.all([container.stop(), (await again(engine, container)).stop()]);
    assert.deepEqual(first, second);
  });

  test('has given address and ports back when it resolves', async (context) => {
    const { create, services } = await openMemoryLab(context);
    const first = await create(['polite'], { ports: ['8080:80'] });
    await first.start();
    await first.stop();
    assert.equal(await services.containers.networks.get('bridge')?.inspect(first.id), undefined);
    const second = await create(['hang'], { ports: ['8080:80'] });
    await second.start();
  });

  test('an aborted stop asks for nothing', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['polite']);
    await container.start();
    await assert.rejects(container.stop({ signal: AbortSignal.abort(new Error('no')) }), /no/);
    assert.equal(container.status, 'running');
    const controller = new AbortController();
    const stubborn = await create(['hang']);
    await stubborn.start();
    const stopping = stubborn.stop({ timeoutMs: 60_000, signal: controller.signal });
    controller.abort(new Error('later'));
    await assert.rejects(stopping, /later/);
    assert.equal(stubborn.status, 'running', 'the kill does not come after the abort');
  });

  test('options out of range, and what was never started', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['hang']);
    await rejection(container.stop(), 'WRONG_STATE');
    await container.start();
    for (const timeoutMs of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.equal((await rejection(container.stop({ timeoutMs }), 'INVALID_OPTION')).data.option, 'timeoutMs');
    }
    assert.equal((await rejection(container.stop({ stopSignal: 'X' }), 'INVALID_OPTION')).data.option, 'stopSignal');
    assert.equal(container.status, 'running');
  });
});

describe('kill', () => {
  test('sends one signal, and says when nothing runs', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['polite']);
    await rejection(container.kill(), 'WRONG_STATE');
    await container.start();
    await container.kill('TERM');
    assert.equal((await container.wait()).exitCode, 7);
    assert.equal((await rejection(container.kill(), 'WRONG_STATE')).data.status, 'exited');
    await rejection(container.kill('SIGNONE'), 'INVALID_OPTION');
  });

  test('of a container of another process goes through a pidfd, never to a reused pid', async (context) => {
    const { create, other, kernel } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.start();
    const elsewhere = await (await other()).containers.get(container.id);
    const seen: number[] = [];
    kernel.startProcess(process.pid, (signal) => seen.push(signal));
    kernel.calls.length = 0;
    await elsewhere.kill(10);
    assert.deepEqual(seen, [10]);
    assert.deepEqual(
      kernel.calls.map(({ name }) => name),
      ['openProcess', 'signalProcess', 'close'],
    );
    kernel.endProcess(process.pid);
    await rejection(elsewhere.kill(10), 'WRONG_STATE');
  });
});

describe('remove', () => {
  test('takes everything of a container away', async (context) => {
    const { create, services, engine } = await openMemoryLab(context);
    const container = await create(['polite'], { name: 'web', ports: ['8080:80'] });
    await container.start();
    await container.stop();
    await container.remove();
    const { layout } = services;
    assert.deepEqual(readdirSync(layout.containers()), []);
    assert.deepEqual(readdirSync(layout.names()), []);
    assert.deepEqual(readdirSync(join(layout.run, 'containers')), []);
    assert.equal(services.containers.live.size + services.containers.own.size, 0);
    await rejection(engine.containers.get('web'), 'NO_SUCH_CONTAINER');
  });

  test('what runs is left alone unless forced', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.start();
    assert.equal((await rejection(container.remove(), 'WRONG_STATE')).data.status, 'running');
    assert.equal(container.status, 'running');
    await container.remove({ force: true });
  });

  test('again, and by several at once, is fine', async (context) => {
    const { create, engine } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.start();
    const other = await again(engine, container);
    await Promise.all([
      container.remove({ force: true }),
      other.remove({ force: true }),
      container.remove({ force: true }),
    ]);
    await container.remove();
    assert.deepEqual(await engine.containers.list(), []);
  });

  test('waits for a start that is under way', async (context) => {
    const { create, engine, launcher } = await openMemoryLab(context);
    const container = await create(['hang']);
    const other = await again(engine, container);
    const [started] = await Promise.allSettled([container.start(), other.remove({ force: true })]);
    assert.deepEqual(await engine.containers.list(), []);
    if (started.status === 'fulfilled') assert.equal((await container.wait()).signal, 'SIGKILL');
    else assert.ok(EngineError.is(started.reason, 'NO_SUCH_CONTAINER') && launcher.launches.length === 0);
  });

  test('a step that fails keeps none of the others from being done', async (context) => {
    const lab = await openMemoryLab(context);
    const { create, services } = lab;
    const container = await create(['polite'], { name: 'web' });
    const network = services.containers.networks.get('bridge');
    assert.ok(network !== undefined);
    const broken = new EngineError('INTERNAL', { what: 'detach' });
    const { detach } = network;
    network.detach = () => Promise.reject(broken);
    try {
      await assert.rejects(container.remove(), (error) => error === broken);
    } finally {
      network.detach = detach;
    }
    assert.deepEqual(readdirSync(services.layout.containers()), []);
    assert.deepEqual(readdirSync(services.layout.names()), []);
    await container.remove();
  });

  test('`await using` removes what runs', async (context) => {
    const { create, engine } = await openMemoryLab(context);
    {
      await using container = await create(['hang']);
      await container.start();
    }
    assert.deepEqual(await engine.containers.list(), []);
  });
});
