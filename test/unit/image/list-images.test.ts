import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine, ImageFilters } from 'tscontainer';
import { addBuiltImage } from '../../helpers/built-image.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

async function open(context: Parameters<typeof openMemoryLab>[0]): Promise<Engine> {
  const { engine, registry } = await openMemoryLab(context);
  addBuiltImage(registry, 'app:1', { created: '2024-01-01T00:00:00Z', labels: { tier: 'front', team: 'a' } });
  addBuiltImage(registry, 'app:2', { created: '2024-06-01T00:00:00Z', labels: { tier: 'back' } });
  addBuiltImage(registry, 'quay.io/team/tool:1.0', { created: '2025-01-01T00:00:00Z' });
  for (const name of ['app:1', 'app:2', 'quay.io/team/tool:1.0']) await engine.images.pull(name);
  await engine.images.tag('app:1', 'alias');
  return engine;
}

test('images are listed once, with all their names', async (context) => {
  const engine = await open(context);
  const list = await engine.images.list();
  assert.deepEqual(
    list.map(({ name, names }) => [name, names]),
    [
      ['alias:latest', ['alias:latest', 'app:1']],
      ['app:2', ['app:2']],
      ['quay.io/team/tool:1.0', ['quay.io/team/tool:1.0']],
    ],
  );
});

test('filters are those of Docker', async (context) => {
  const engine = await open(context);
  const named = async (filters: ImageFilters): Promise<readonly string[]> =>
    (await engine.images.list({ filters })).flatMap(({ names }) => names);
  const cases: readonly (readonly [ImageFilters, readonly string[]])[] = [
    [{ reference: 'app' }, ['app:1', 'app:2']],
    [{ reference: 'app:1' }, ['app:1']],
    [{ reference: 'a*' }, ['alias:latest', 'app:1', 'app:2']],
    [{ reference: '*' }, ['alias:latest', 'app:1', 'app:2']],
    [{ reference: '*/*/*' }, ['quay.io/team/tool:1.0']],
    [{ reference: 'quay.io/team/tool:1.?' }, ['quay.io/team/tool:1.0']],
    [{ reference: ['app:[2-9]', '*/*/tool'] }, ['app:2', 'quay.io/team/tool:1.0']],
    [{ reference: 'nothing' }, []],
    [{ label: 'tier' }, ['alias:latest', 'app:1', 'app:2']],
    [{ label: 'tier=back' }, ['app:2']],
    [{ label: ['tier', 'team=a'] }, ['alias:latest', 'app:1']],
    [{ label: ['tier=back', 'team'] }, []],
    [{ before: 'app:2' }, ['alias:latest', 'app:1']],
    [{ since: 'app:1' }, ['app:2', 'quay.io/team/tool:1.0']],
    [{ since: 'app:1', before: 'quay.io/team/tool:1.0' }, ['app:2']],
    [{ until: new Date('2024-06-01T00:00:00Z') }, ['alias:latest', 'app:1']],
    [{ reference: 'app', label: 'tier', until: new Date('2024-02-01T00:00:00Z') }, ['app:1']],
    [{ dangling: false }, ['alias:latest', 'app:1', 'app:2', 'quay.io/team/tool:1.0']],
    [{ dangling: true }, []],
  ];
  for (const [filters, names] of cases) assert.deepEqual(await named(filters), names, JSON.stringify(filters));
});

test('an image without a name is dangling, and is found by its id', async (context) => {
  const engine = await open(context);
  const { id } = await engine.images.get('app:2');
  await engine.images.untag('app:2');
  const [image, ...more] = await engine.images.list({ filters: { dangling: true } });
  assert.deepEqual([image?.id, image?.names, image?.name, more.length], [id, [], id, 0]);
  assert.equal((await engine.images.get(id.slice(0, 19))).id, id);
  await rejection(engine.images.get('app:2'), 'NO_SUCH_IMAGE');
  await rejection(engine.images.push(id), 'INVALID_REFERENCE');
  const named = await engine.images.tag(id, 'again');
  assert.deepEqual([named.id, named.names], [id, ['again:latest']]);
  assert.deepEqual(await engine.images.list({ filters: { dangling: true } }), []);
});

test('filters that are none are refused by their name', async (context) => {
  const engine = await open(context);
  const refused = async (filters: object): Promise<string> =>
    (await rejection(engine.images.list({ filters }), 'INVALID_OPTION')).data.option;
  assert.equal(await refused({ nonsense: 1 }), 'filters.nonsense');
  assert.equal(await refused({ reference: 5 }), 'filters.reference');
  assert.equal(await refused({ label: ['='] }), 'filters.label');
  assert.equal(await refused({ dangling: 'true' }), 'filters.dangling');
  assert.equal(await refused({ until: new Date('x') }), 'filters.until');
  const unknown = await rejection(engine.images.list({ filters: { before: 'nothing' } }), 'NO_SUCH_IMAGE');
  assert.equal(unknown.data.reference, 'nothing');
});
