import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '#lib/core/digest.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { decodeImageRecord, type ImageRecord } from '#lib/image/image-record.js';
import { ImageRecords } from '#lib/image/image-records.js';
import { rejection } from '../../helpers/rejection.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';

function recordOf(name: string, content = name): ImageRecord {
  const digest = digestOf(content);
  return {
    version: 1,
    name,
    target: digest,
    manifest: digest,
    id: digest,
    config: '{}',
    layers: [{ digest, size: 1, diffId: digest }],
    storedAt: '2026-01-01T00:00:00.000Z',
  };
}

const debian = recordOf('docker.io/library/debian:12');

test('an image is found by every form of its name, and by the beginning of its id', async (context) => {
  const records = new ImageRecords(join(await scopedDirectory(context), 'images'));
  assert.deepEqual(await records.list(), []);
  await records.save(debian);
  const hex = debian.id.slice('sha256:'.length);
  for (const text of [
    'debian:12',
    'docker.io/library/debian:12',
    'library/debian:12',
    debian.id,
    hex,
    hex.slice(0, 4),
  ]) {
    assert.deepEqual(await records.resolve(text), debian, text);
  }
  for (const text of ['debian', 'debian:11', hex.slice(0, 3), 'sha256:0000', '0000']) {
    assert.equal((await rejection(records.resolve(text), 'NO_SUCH_IMAGE')).data.reference, text);
  }
  await rejection(records.resolve('A B'), 'INVALID_REFERENCE');
});

test('two names of one image are no ambiguity, two images are', async (context) => {
  const records = new ImageRecords(await scopedDirectory(context));
  // Two contents whose digests begin alike in four digits.
  const seen = new Map<string, string>();
  let pair: readonly [string, string] | undefined;
  for (let index = 0; pair === undefined; index++) {
    const start = digestOf(String(index)).slice(7, 11);
    const other = seen.get(start);
    if (other !== undefined) pair = [other, String(index)];
    seen.set(start, String(index));
  }
  const [one, two] = pair;
  const prefix = digestOf(one).slice(7, 11);
  await records.save(recordOf('docker.io/library/a:1', one));
  await records.save(recordOf('docker.io/library/b:1', one));
  assert.equal((await records.resolve(prefix)).id, digestOf(one));
  await records.save(recordOf('docker.io/library/c:1', two));
  const { data } = await rejection(records.resolve(prefix), 'AMBIGUOUS_IMAGE');
  assert.deepEqual([...data.matches].sort(), [digestOf(one), digestOf(two)].sort());
});

test('a name that looks like an id is a name first', async (context) => {
  const records = new ImageRecords(await scopedDirectory(context));
  const hex = debian.id.slice(7, 15);
  await records.save(debian);
  const named = recordOf(`docker.io/library/${hex}:latest`);
  await records.save(named);
  assert.deepEqual(await records.resolve(hex), named);
});

test('saving again replaces, removing twice is fine, and the list is by name', async (context) => {
  const directory = await scopedDirectory(context);
  const records = new ImageRecords(directory);
  await records.save(debian);
  await records.save({ ...debian, config: '{"a":1}' });
  await records.save(recordOf('docker.io/library/alpine:3'));
  const list = await records.list();
  assert.deepEqual(
    list.map(({ name, config }) => [name, config]),
    [
      ['docker.io/library/alpine:3', '{}'],
      [debian.name, '{"a":1}'],
    ],
  );
  await records.remove(debian.name);
  await records.remove(debian.name);
  assert.equal((await records.list()).length, 1);
  for (const file of readdirSync(directory)) {
    assert.match(file, /^[0-9a-f]{64}\.json$/, 'no name of an image becomes a path');
    assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600);
  }
});

test('a write that a crash has cut is not a record', async (context) => {
  const directory = await scopedDirectory(context);
  const records = new ImageRecords(directory);
  await records.save(debian);
  writeFileSync(join(directory, 'x.json.123.tmp'), '{');
  assert.deepEqual(await records.list(), [debian]);
});

test('records of another version and damaged ones are refused with their path', () => {
  const decode = (value: unknown) => () => decodeImageRecord(JSON.stringify(value), '/r');
  assert.throws(decode({ ...debian, version: 7 }), (error) => EngineError.is(error, 'UNKNOWN_VERSION'));
  for (const value of [null, 5, {}, { ...debian, id: 'x' }, { ...debian, layers: [{}] }, { ...debian, name: 1 }]) {
    assert.throws(decode(value), (error) => EngineError.is(error, 'CORRUPT_RECORD') && /^\/r/.test(error.data.path));
  }
});
