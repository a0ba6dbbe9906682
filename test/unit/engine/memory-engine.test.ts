import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { recover } from '#lib/engine/recover.js';
import { MemoryCgroups } from '#lib/runtime/cgroup/memory/memory-cgroups.js';
import { MemoryLauncher } from '#lib/runtime/memory/memory-launcher.js';
import { memoryServices } from '#lib/testing/memory-engine.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

describe('run', () => {
  test('gives exit and output, and leaves nothing', async (context) => {
    const { engine, root } = await openMemoryLab(context);
    const result = await engine.run('test', ['talk'], { env: { GREETING: 'hi' } });
    assert.deepEqual([result.exitCode, result.stdout, result.stderr], [0, 'out\nhi', 'err\n']);
    assert.deepEqual(readdirSync(join(root, 'containers')), []);
    assert.deepEqual(readdirSync(join(root, 'run', 'containers')), []);
  });

  test('without a command runs the image’s', async (context) => {
    const { engine } = await openMemoryLab(context);
    assert.equal((await engine.run('test')).exitCode, 0);
  });

  test('that fails at any point leaves nothing', async (context) => {
    const cgroups = new MemoryCgroups({ controllers: ['pids'] });
    const { engine, root, services } = await openMemoryLab(context, { launcher: { users: [] }, cgroups });
    await rejection(engine.run('test', ['missing']), 'PROGRAM_NOT_FOUND');
    await rejection(engine.run('test', ['exit'], { user: 'ghost' }), 'NO_SUCH_USER');
    await rejection(engine.run('test', ['exit'], { name: '..' }), 'INVALID_NAME');
    await rejection(engine.run('unknown', ['exit']), 'IMAGE_NOT_FOUND');
    await rejection(engine.run('unknown', ['exit'], { pull: 'never' }), 'NO_SUCH_IMAGE');
    await rejection(engine.run('test', ['exit'], { memory: '10m' }), 'CONTROLLER_MISSING');
    await rejection(engine.run('test', ['flood', '10'], { maxOutputBytes: 5 }), 'OUTPUT_TOO_LARGE');
    assert.deepEqual(readdirSync(join(root, 'containers')), []);
    assert.deepEqual(readdirSync(join(root, 'run', 'containers')), []);
    assert.deepEqual(readdirSync(join(root, 'names')), []);
    assert.equal(services.containers.own.size + services.containers.live.size, 0);
    assert.equal((await engine.run('test', ['exit', '3'])).exitCode, 3, 'the next one works');
  });

  test('many at once do not get in each other’s way', async (context) => {
    const { engine } = await openMemoryLab(context);
    const codes = Array.from({ length: 30 }, (_, index) => index);
    const results = await Promise.all(codes.map((code) => engine.run('test', ['exit', String(code)])));
    assert.deepEqual(
      results.map(({ exitCode }) => exitCode),
      codes,
    );
  });
});

describe('events', () => {
  test('tell of starts and exits, until nobody listens', async (context) => {
    const { engine } = await openMemoryLab(context);
    const seen: string[] = [];
    const stop = engine.on('container.started', ({ name }) => seen.push(`started ${name}`));
    engine.on('container.exited', ({ name, exit }) => seen.push(`exited ${name} ${exit.exitCode}`));
    await engine.run('test', ['exit', '3'], { name: 'one' });
    stop();
    await engine.run('test', ['exit', '4'], { name: 'two' });
    assert.deepEqual(seen, ['started one', 'exited one 3', 'exited two 4']);
  });

  test('a listener that throws fails alone, as an uncaught exception of its own', async (context) => {
    const { engine } = await openMemoryLab(context);
    const caught: unknown[] = [];
    const previous = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => caught.push(error));
    try {
      const seen: number[] = [];
      const bug = new Error('a bug of the listener');
      engine.on('container.started', () => {
        throw bug;
      });
      engine.on('container.started', ({ pid }) => seen.push(pid));
      assert.equal((await engine.run('test')).exitCode, 0);
      assert.equal(seen.length, 1);
      assert.deepEqual(caught, [bug]);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of previous) process.on('uncaughtException', listener);
    }
  });
});

describe('close', () => {
  test('ends and removes the containers that this engine owns, and no others', async (context) => {
    const { engine, create, other } = await openMemoryLab(context);
    const own = await create(['hang'], { name: 'own' });
    const detached = await create(['hang'], { name: 'detached', lifetime: 'detached' });
    await own.start();
    await detached.start();
    const next = await other();
    const theirs = await next.containers.create({ image: 'test', name: 'theirs', command: ['hang'] });
    await engine.close();
    assert.equal((await own.wait()).signal, 'SIGKILL');
    const names = (await next.containers.list()).map(({ name }) => name);
    assert.deepEqual(names.sort(), ['detached', 'theirs']);
    assert.equal(detached.status, 'running');
    await theirs.remove();
  });

  test('twice is once, and a closed engine refuses', async (context) => {
    const { engine, create, launcher } = await openMemoryLab(context);
    const container = await create(['hang'], { lifetime: 'detached' });
    const running = await create(['hang'], { lifetime: 'detached' });
    await running.start();
    assert.equal(engine.close(), engine.close());
    await engine.close();
    assert.ok(launcher.closed);
    const refused = [
      engine.run('test'),
      engine.images.list(),
      engine.images.pull('test'),
      engine.images.get('test'),
      engine.images.remove('test'),
      engine.images.fromHost({ binaries: ['sh'], tag: 'x' }),
      engine.containers.list(),
      engine.containers.get('x'),
      engine.containers.create({ image: 'test' }),
      container.start(),
      running.exec(['exit', '0']),
      running.spawn(['exit', '0']),
    ];
    for (const each of refused) assert.equal((await rejection(each, 'CLOSED')).data.what, 'engine');
  });

  test('a step that fails is told, and the next close tries again', async (context) => {
    const { engine, create, services } = await openMemoryLab(context);
    const container = await create(['hang'], { name: 'stubborn' });
    await container.start();
    const { layers } = services.containers;
    const { discard } = layers;
    const broken = new Error('disk trouble');
    layers.discard = () => Promise.reject(broken);
    await assert.rejects(engine.close(), (error) => error === broken);
    layers.discard = discard;
    await engine.close();
    assert.deepEqual(await services.containers.records.list(), []);
  });
});

describe('recovery', () => {
  test('removes what an owner that was killed has left', async (context) => {
    const { create, root, kernel, services } = await openMemoryLab(context);
    const container = await create(['hang'], { name: 'orphan' });
    const path = join(services.layout.runContainer(container.id), 'record.json');
    const record = {
      ...(await services.containers.records.read(container.id)),
      owner: { pid: 4_194_305, startTicks: '1' },
    };
    writeFileSync(path, JSON.stringify(record));
    services.containers.own.clear();
    const next = memoryServices({ root, kernel, launcher: new MemoryLauncher() });
    await recover(next);
    assert.deepEqual(readdirSync(join(root, 'containers')), []);
    assert.deepEqual(readdirSync(join(root, 'names')), []);
    next.contentLock.close();
  });

  test('leaves containers of living processes and detached ones alone', async (context) => {
    const { create, other, root, services } = await openMemoryLab(context);
    await create(['hang'], { name: 'mine' });
    const detached = await create(['hang'], { name: 'detached', lifetime: 'detached' });
    const record = {
      ...(await services.containers.records.read(detached.id)),
      owner: { pid: 4_194_305, startTicks: '1' },
    };
    writeFileSync(join(root, 'containers', detached.id, 'record.json'), JSON.stringify(record));
    const names = (await (await other()).containers.list()).map(({ name }) => name);
    assert.deepEqual(names.sort(), ['detached', 'mine']);
  });

  test('removes directories without a record, unless somebody is making a container', async (context) => {
    const { root, other, services } = await openMemoryLab(context);
    const id = 'e'.repeat(64);
    mkdirSync(join(root, 'containers', id));
    await services.images.holdContent(undefined, async () => {
      await other();
      assert.deepEqual(readdirSync(join(root, 'containers')), [id]);
    });
    await other();
    assert.deepEqual(readdirSync(join(root, 'containers')), []);
  });
});

test('engines on one root see each other’s images and containers', async (context) => {
  const { engine, create, other } = await openMemoryLab(context);
  const container = await create(['polite'], { name: 'web' });
  await container.start();
  const next = await other();
  assert.deepEqual(
    (await next.images.list()).map(({ name }) => name),
    (await engine.images.list()).map(({ name }) => name),
  );
  const seen = await next.containers.get('web');
  assert.deepEqual([seen.id, seen.status], [container.id, 'running']);
  assert.equal(
    (await rejection(next.containers.create({ image: 'test', name: 'web' }), 'NAME_TAKEN')).data.name,
    'web',
  );
  await container.stop();
  assert.equal((await seen.wait()).exitCode, 7);
});
