import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ContainerRecord, decodeContainerRecord } from '#lib/container/container-record.js';
import { ContainerRecords } from '#lib/container/container-records.js';
import { resolveConfig } from '#lib/container/resolve-config.js';
import { digestOf } from '#lib/core/digest.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { StorageLayout } from '#lib/core/storage-layout.js';
import { prepareRoot } from '#lib/engine/prepare-root.js';
import { rejection } from '../../helpers/rejection.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';

interface Opened {
  readonly records: ContainerRecords;
  readonly layout: StorageLayout;
}

async function open(context: TestContext): Promise<Opened> {
  const root = await scopedDirectory(context);
  const layout = prepareRoot({ root, runRoot: join(root, 'run') });
  return { records: new ContainerRecords(layout), layout };
}

const idOf = (start: string): string => start.padEnd(64, '0');

function recordOf(id: string, change: Partial<ContainerRecord> = {}): ContainerRecord {
  const image = { os: 'linux', architecture: 'amd64', config: { Cmd: ['x'] }, rootfs: { diff_ids: [] } };
  return {
    version: 1,
    id,
    name: id.slice(0, 12),
    image: { reference: 'x', id: digestOf('x'), stack: [digestOf('y')] },
    createdAt: '2026-01-01T00:00:00.000Z',
    owner: { pid: 1, startTicks: '5' },
    root: { type: 'bind', source: '/nowhere' },
    config: resolveConfig(id, { image: 'x' }, image),
    ...change,
  };
}

async function save({ records }: Opened, record: ContainerRecord): Promise<void> {
  records.makeDirectories(record.id);
  if (record.name !== record.id.slice(0, 12)) await records.reserveName(record.name, record.id);
  await records.save(record);
}

test('a record comes back as it was saved, durable or not', async (context) => {
  const opened = await open(context);
  const record = recordOf(idOf('a'));
  const overlay = { type: 'overlay', lower: ['/2', '/1'], upper: '/u', work: '/w', volatile: false } as const;
  const detached = recordOf(idOf('b'), { root: overlay, config: { ...record.config, lifetime: 'detached' } });
  await save(opened, record);
  await save(opened, detached);
  assert.deepEqual(await opened.records.read(record.id), record);
  assert.deepEqual(await opened.records.read(detached.id), detached);
  assert.deepEqual(readdirSync(opened.layout.container(record.id)), [], 'what ends with its owner is in RUN');
  assert.deepEqual(readdirSync(opened.layout.runContainer(record.id)), ['record.json']);
  assert.deepEqual(readdirSync(opened.layout.container(detached.id)), ['record.json']);
});

test('the newest comes first in the list', async (context) => {
  const opened = await open(context);
  for (const [start, createdAt] of [
    ['a', '2026-01-01T00:00:00.000Z'],
    ['b', '2026-01-03T00:00:00.000Z'],
    ['c', '2026-01-02T00:00:00.000Z'],
  ] as const) {
    await save(opened, recordOf(idOf(start), { createdAt }));
  }
  assert.deepEqual(
    (await opened.records.list()).map(({ id }) => id[0]),
    ['b', 'c', 'a'],
  );
});

test('others cannot read what containers are made of', async (context) => {
  const opened = await open(context);
  await save(opened, recordOf(idOf('a'), { name: 'web' }));
  const modeOf = (path: string): number => statSync(path).mode & 0o777;
  assert.equal(modeOf(opened.layout.container(idOf('a'))), 0o700);
  assert.equal(modeOf(opened.layout.runContainer(idOf('a'))), 0o700);
  assert.equal(modeOf(join(opened.layout.runContainer(idOf('a')), 'record.json')), 0o600);
  assert.equal(modeOf(join(opened.layout.names(), 'web')), 0o600);
  assert.equal(modeOf(opened.layout.containers()), 0o711);
  assert.equal(modeOf(opened.layout.run), 0o700);
});

test('a container is found by name, id and the beginning of its id', async (context) => {
  const opened = await open(context);
  const { records } = opened;
  await save(opened, recordOf(idOf('abc1'), { name: 'web' }));
  await save(opened, recordOf(idOf('abc2')));
  for (const reference of ['web', idOf('abc1'), 'abc1']) {
    assert.equal((await records.resolve(reference)).id, idOf('abc1'), reference);
  }
  const { data } = await rejection(records.resolve('abc'), 'AMBIGUOUS_CONTAINER');
  assert.deepEqual([...data.matches].sort(), [idOf('abc1'), idOf('abc2')]);
  for (const reference of ['abd', 'we', '', '..', '../names/web', 'ABC1', `${idOf('abc1')}0`]) {
    assert.equal((await rejection(records.resolve(reference), 'NO_SUCH_CONTAINER')).data.reference, reference);
  }
});

test('a name wins over the beginning of an id', async (context) => {
  const opened = await open(context);
  await save(opened, recordOf(idOf('abc')));
  await save(opened, recordOf(idOf('d'), { name: 'abc' }));
  assert.equal((await opened.records.resolve('abc')).id, idOf('d'));
});

test('of many who want one name at once, one gets it', async (context) => {
  const { records } = await open(context);
  const ids = Array.from({ length: 20 }, (_, index) => idOf(index.toString(16).padStart(2, '0')));
  for (const id of ids) records.makeDirectories(id);
  const results = await Promise.allSettled(ids.map((id) => records.reserveName('web', id)));
  const winners = results.filter(({ status }) => status === 'fulfilled');
  assert.equal(winners.length, 1);
  const winner = ids[results.findIndex(({ status }) => status === 'fulfilled')] ?? '';
  for (const result of results) {
    if (result.status === 'fulfilled') continue;
    assert.ok(EngineError.is(result.reason, 'NAME_TAKEN'), String(result.reason));
    assert.equal(result.reason.data.by, `container ${winner.slice(0, 12)}`);
  }
});

test('a name is free again once it was given back, by its holder alone', async (context) => {
  const { records } = await open(context);
  for (const start of ['a', 'b']) records.makeDirectories(idOf(start));
  await records.reserveName('web', idOf('a'));
  await records.releaseName('web', idOf('b'));
  await rejection(records.reserveName('web', idOf('b')), 'NAME_TAKEN');
  await records.releaseName('web', idOf('a'));
  await records.reserveName('web', idOf('b'));
  await records.releaseName('unknown', idOf('b'));
});

test('a name of a container that a crash has taken away is free', async (context) => {
  const { records, layout } = await open(context);
  records.makeDirectories(idOf('a'));
  await records.reserveName('web', idOf('a'));
  rmSync(layout.container(idOf('a')), { recursive: true });
  records.makeDirectories(idOf('b'));
  await records.reserveName('web', idOf('b'));
  await rejection(records.resolve('web'), 'NO_SUCH_CONTAINER'); // its record is not there yet
});

test('names that could leave the directory are refused', async (context) => {
  const { records } = await open(context);
  records.makeDirectories(idOf('a'));
  for (const name of ['', '.', '..', '../x', 'a/b', '-a', '.a', 'a b', 'ä', 'a\0', 'x'.repeat(64)]) {
    const { data } = await rejection(records.reserveName(name, idOf('a')), 'INVALID_NAME');
    assert.equal(data.value, name);
  }
  await records.reserveName('x'.repeat(63), idOf('a'));
});

test('what has no record yet is no container, and does not disturb the others', async (context) => {
  const opened = await open(context);
  const { records, layout } = opened;
  await save(opened, recordOf(idOf('a')));
  records.makeDirectories(idOf('b'));
  records.makeDirectories(idOf('c'));
  writeFileSync(join(layout.container(idOf('c')), 'record.json'), '');
  mkdirSync(join(layout.containers(), 'lost+found'));
  assert.equal((await records.list()).length, 1);
  assert.equal(await records.read(idOf('b')), undefined);
  await rejection(records.resolve('b'), 'NO_SUCH_CONTAINER');
  assert.deepEqual([...(await records.ids())].sort(), [idOf('a'), idOf('b'), idOf('c')]);
});

test('a record of another version is refused with the versions', () => {
  const json = JSON.stringify({ ...recordOf(idOf('a')), version: 2 });
  assert.throws(
    () => decodeContainerRecord(json, '/r'),
    (error) => EngineError.is(error, 'UNKNOWN_VERSION') && error.data.version === '2' && error.data.path === '/r',
  );
});

test('a damaged record is named with the place of the damage', () => {
  const good = recordOf(idOf('a'));
  const damaged: readonly (readonly [unknown, RegExp])[] = [
    ['{', /^\/r: expected JSON/],
    [[], /^\/r: expected an object/],
    [{ ...good, id: 5 }, /^\/r\.id: /],
    [{ ...good, image: { ...good.image, id: 'sha256:x' } }, /^\/r\.image\.id: expected a digest/],
    [{ ...good, root: { type: 'zfs' } }, /^\/r\.root\.type: expected one of overlay, bind/],
    [{ ...good, root: { type: 'overlay', lower: [] } }, /^\/r\.root\.upper: /],
    [{ ...good, config: { ...good.config, lifetime: 'x' } }, /^\/r\.config\.lifetime: /],
    [{ ...good, config: { ...good.config, ports: [{}] } }, /^\/r\.config\.ports\[0\]\.hostAddress: /],
  ];
  for (const [value, message] of damaged) {
    const json = typeof value === 'string' ? value : JSON.stringify(value);
    assert.throws(
      () => decodeContainerRecord(json, '/r'),
      (error) => EngineError.is(error, 'CORRUPT_RECORD') && message.test(error.message),
      String(message),
    );
  }
});
