import assert from 'node:assert/strict';
import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ContainerFilters } from 'tscontainer';
import { openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

describe('a container that is renamed', () => {
  test('is found by its new name only, in every process, and gives both back', async (context) => {
    const { create, engine, other, root } = await openMemoryLab(context);
    const container = await create(['hang'], { name: 'before' });
    const events: string[] = [];
    engine.on('container.renamed', ({ oldName, name }) => events.push(`${oldName} ${name}`));
    await container.rename('after');
    assert.equal(container.name, 'after');
    assert.equal((await (await other()).containers.get('after')).id, container.id);
    await rejection(engine.containers.get('before'), 'NO_SUCH_CONTAINER');
    assert.deepEqual(readdirSync(join(root, 'names')), ['after']);
    assert.deepEqual(events, ['before after']);
    await create(['hang'], { name: 'before' });
    await container.rename('after');
    assert.deepEqual(events, ['before after'], 'the name that it has is no change');
  });

  test('keeps its name when the new one is taken or none', async (context) => {
    const { create, root } = await openMemoryLab(context);
    const container = await create(['hang'], { name: 'mine' });
    await create(['hang'], { name: 'taken' });
    await rejection(container.rename('taken'), 'NAME_TAKEN');
    await rejection(container.rename('../x'), 'INVALID_NAME');
    assert.equal((await container.inspect()).name, 'mine');
    assert.deepEqual(readdirSync(join(root, 'names')).sort(), ['mine', 'taken']);
  });

  test('is removed with the name that others have given it', async (context) => {
    const { create, other, root } = await openMemoryLab(context);
    const container = await create(['hang'], { lifetime: 'detached' });
    await (await (await other()).containers.get(container.id)).rename('by-others');
    assert.equal((await container.inspect()).name, 'by-others');
    await container.remove();
    assert.deepEqual(readdirSync(join(root, 'names')), []);
    await rejection(container.rename('late'), 'NO_SUCH_CONTAINER');
  });
});

describe('a list with filters', () => {
  test('has the containers that are all of it', async (context) => {
    const { create, engine } = await openMemoryLab(context);
    const first = await create(['hang'], { name: 'web-1', labels: { app: 'web', tier: '' } });
    const second = await create(['exit', '3'], { name: 'job', labels: { app: 'job' }, network: 'none' });
    const mounts = [{ type: 'tmpfs', target: '/data' }] as const;
    const third = await create(['hang'], { name: 'web-2', labels: { app: 'web' }, mounts, ports: ['8099:80/udp'] });
    await first.start();
    await second.start();
    await second.wait();
    const names = async (filters: ContainerFilters): Promise<string> =>
      (await engine.containers.list({ filters }))
        .map(({ name }) => name)
        .sort()
        .join();
    const cases: readonly [ContainerFilters, string][] = [
      [{}, 'job,web-1,web-2'],
      [{ name: 'web' }, 'web-1,web-2'],
      [{ id: [first.id.slice(0, 20), second.id] }, 'job,web-1'],
      [{ label: 'app=web' }, 'web-1,web-2'],
      [{ label: ['app=web', 'tier'] }, 'web-1'],
      [{ status: 'running' }, 'web-1'],
      [{ status: ['created', 'exited'] }, 'job,web-2'],
      [{ exited: 3 }, 'job'],
      [{ exited: [0, 1] }, ''],
      [{ ancestor: 'test' }, 'job,web-1,web-2'],
      [{ ancestor: 'docker.io/library/test:latest' }, 'job,web-1,web-2'],
      [{ ancestor: 'other' }, ''],
      [{ volume: '/data' }, 'web-2'],
      [{ network: 'none' }, 'job'],
      [{ publish: '80/udp' }, 'web-2'],
      [{ publish: ['8099/udp', 7] }, 'web-2'],
      [{ publish: 80 }, ''],
      [{ health: 'none', name: 'job' }, 'job'],
      [{ until: new Date(0) }, ''],
      [{ since: first.name, name: 'web-1' }, ''],
      [{ before: third.id, status: 'exited', name: 'web' }, ''],
    ];
    for (const [filters, expected] of cases) assert.equal(await names(filters), expected, JSON.stringify(filters));
  });

  test('refuses what means nothing, and names it', async (context) => {
    const { engine } = await openMemoryLab(context);
    const wrong = { nonsense: 'x' } as ContainerFilters;
    for (const filters of [wrong, { status: 'dead' as 'exited' }, { exited: 1.5 }, { publish: 'http' }, { name: '' }])
      assert.match((await rejection(engine.containers.list({ filters }), 'INVALID_OPTION')).message, /filters\./);
    await rejection(engine.containers.list({ filters: { before: 'nobody' } }), 'NO_SUCH_CONTAINER');
  });
});

test('a prune removes what does not run, and tells what that was', async (context) => {
  const { create, engine } = await openMemoryLab(context);
  const running = await create(['hang'], { name: 'running' });
  await running.start();
  const kept = await create(['hang'], { name: 'kept', labels: { keep: '' } });
  const gone = await create(['hang'], { labels: { ci: '7' } });
  assert.deepEqual((await engine.containers.prune({ filters: { label: 'ci=7' } })).deleted, [gone.id]);
  assert.deepEqual((await engine.containers.prune({ filters: { until: new Date(0) } })).deleted, []);
  assert.deepEqual((await engine.containers.prune()).deleted, [kept.id]);
  assert.deepEqual(
    (await engine.containers.list()).map(({ name }) => name),
    ['running'],
  );
});

describe('a container whose record is damaged', () => {
  for (const [what, damage] of [
    ['cut', (path: string) => truncateSync(path, 40)],
    ['of another version', (path: string) => writeFileSync(path, '{"version":9}')],
    ['nonsense', (path: string) => writeFileSync(path, 'x'.repeat(50))],
  ] as const)
    test(`(${what}) hinders no other one, is told, and can be removed`, async (context) => {
      const { create, engine, other, root, services } = await openMemoryLab(context);
      await create(['hang'], { name: 'sound' });
      const container = await create(['hang'], { name: 'damaged', lifetime: 'detached' });
      const path = join(services.layout.container(container.id), 'record.json');
      damage(path);
      for (const each of [engine, await other()]) {
        assert.deepEqual(
          (await each.containers.list()).map(({ name }) => name),
          ['sound'],
        );
        const [found, ...more] = await each.containers.damaged();
        assert.equal(found?.id, container.id);
        assert.match(found?.error.message ?? '', new RegExp(path));
        assert.equal(more.length, 0);
      }
      await assert.rejects(engine.containers.get('damaged'), { code: found(what) });
      await rejection(create(['hang'], { name: 'damaged' }), 'NAME_TAKEN');
      await engine.containers.remove('damaged');
      assert.deepEqual(await engine.containers.damaged(), []);
      assert.deepEqual(readdirSync(join(root, 'names')), ['sound']);
      assert.equal(readdirSync(join(root, 'containers')).length, 1);
      await rejection(engine.containers.remove('damaged'), 'NO_SUCH_CONTAINER');
    });

  test('is killed first, if it runs and that is wanted; and goes with its engine', async (context) => {
    const { create, engine, services } = await openMemoryLab(context);
    for (const lifetime of ['detached', 'owner'] as const) {
      const container = await create(['hang'], { lifetime });
      await container.start();
      const directory =
        lifetime === 'owner' ? services.layout.runContainer(container.id) : services.layout.container(container.id);
      writeFileSync(join(directory, 'record.json'), '{"version":9}');
      await rejection(engine.containers.remove(container.id), 'WRONG_STATE');
      if (lifetime === 'detached') await engine.containers.remove(container.id, { force: true });
    }
    await engine.close();
    assert.deepEqual(await services.containers.records.ids(), []);
  });
});

const found = (what: string): string => (what === 'of another version' ? 'UNKNOWN_VERSION' : 'CORRUPT_RECORD');
