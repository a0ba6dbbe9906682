import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { type PackedHost, packHostPrograms } from '#lib/image/from-host/pack-host-programs.js';
import { runProgram } from '../../../helpers/run-program.js';
import { scopedDirectory } from '../../../helpers/scoped-directory.js';

async function bytesOf(packed: PackedHost): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of packed.tar()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Names in the archive as tar(1) lists them. */
async function listed(context: TestContext, archive: Buffer): Promise<string[]> {
  const path = join(await scopedDirectory(context), 'archive.tar');
  await writeFile(path, archive);
  const { stdout, exitCode } = await runProgram('tar', ['tf', path]);
  assert.equal(exitCode, 0);
  return stdout.trim().split('\n');
}

const searchPath = '/usr/sbin:/usr/bin:/sbin:/bin';

test('the same programs give the same bytes, as often as wanted', async () => {
  const digest = async (packed: PackedHost) =>
    createHash('sha256')
      .update(await bytesOf(packed))
      .digest('hex');
  const first = await packHostPrograms({ binaries: ['sh', 'ls'], searchPath });
  const again = await packHostPrograms({ binaries: ['sh', 'ls'], searchPath });
  const expected = await digest(first);
  assert.equal(await digest(first), expected);
  assert.equal(await digest(again), expected);
});

test('the first program is the command, and its directory is on the path', async (context) => {
  const directory = await scopedDirectory(context);
  await writeFile(join(directory, 'tool'), '#!/bin/sh\necho hello\n');
  await chmod(join(directory, 'tool'), 0o755);
  const { config } = await packHostPrograms({ binaries: ['tool', 'sh'], searchPath: `${directory}:${searchPath}` });
  assert.deepEqual(config.cmd, [join(directory, 'tool')]);
  assert.match(config.env[0] ?? '', new RegExp(`^PATH=/usr/local/sbin:.*:${directory}(?::|$)`));
});

test('the interpreters of a script come along, also behind env', async (context) => {
  const directory = await scopedDirectory(context);
  await writeFile(join(directory, 'tool'), '#!/usr/bin/env -S A=1 sh -e\n');
  await chmod(join(directory, 'tool'), 0o755);
  const names = await listed(
    context,
    await bytesOf(await packHostPrograms({ binaries: [join(directory, 'tool')], searchPath })),
  );
  for (const name of ['usr/bin/env', 'usr/bin/sh']) assert.ok(names.includes(name), name);
});

test('scripts that interpret each other are packed once', async (context) => {
  const directory = await scopedDirectory(context);
  for (const [name, other] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    await writeFile(join(directory, name), `#!${directory}/${other}\n`);
    await chmod(join(directory, name), 0o755);
  }
  const packed = await packHostPrograms({ binaries: [join(directory, 'a')], searchPath });
  const names = await listed(context, await bytesOf(packed));
  assert.equal(names.filter((name) => name.endsWith('/b')).length, 1);
});

test('extra files keep their path or get another, below links of the image too; long names survive', async (context) => {
  const directory = await scopedDirectory(context);
  const long = `${'long-'.repeat(40)}name`;
  await mkdir(join(directory, 'data'));
  await writeFile(join(directory, 'data', long), 'x'.repeat(1000));
  await symlink('data', join(directory, 'link'));
  const packed = await packHostPrograms({
    binaries: ['sh'],
    searchPath,
    files: [join(directory, 'link', long), { source: join(directory, 'data'), target: '/bin/inside' }],
  });
  const archive = await bytesOf(packed);
  const names = await listed(context, archive);
  assert.ok(names.includes(`${directory.slice(1)}/link`));
  assert.ok(names.includes(`${directory.slice(1)}/data/${long}`));
  const inside = names.find((name) => name.endsWith(`inside/${long}`)) ?? '';
  const out = join(directory, 'out');
  await mkdir(out);
  await writeFile(join(directory, 'a.tar'), archive);
  assert.equal((await runProgram('tar', ['xf', join(directory, 'a.tar'), '-C', out, inside])).exitCode, 0);
  assert.equal((await readFile(join(out, inside), 'utf8')).length, 1000);
  const below = names.filter((name) => names.includes(name.split('/')[0] ?? '') && name.startsWith('bin/'));
  assert.deepEqual(below, [], 'nothing lies below a link');
});

test('every entry comes after its directory, and links on the way to the loader are kept', async (context) => {
  const archive = await bytesOf(await packHostPrograms({ binaries: ['ls'], searchPath }));
  const names = await listed(context, archive);
  const seen = new Set(['']);
  for (const name of names) {
    const plain = name.replace(/\/$/, '');
    assert.ok(seen.has(plain.includes('/') ? plain.slice(0, plain.lastIndexOf('/')) : ''), name);
    seen.add(plain);
  }
  const merged = await readlink('/lib').catch(() => undefined);
  if (merged !== undefined) assert.ok(names.includes('lib'));
});

test('what cannot be packed is named', async (context) => {
  const directory = await scopedDirectory(context);
  await writeFile(join(directory, 'data'), '');
  for (const binary of ['no-such-program', '', 'bin/sh', '/no/such', join(directory, 'data'), directory]) {
    await assert.rejects(packHostPrograms({ binaries: [binary], searchPath }), (error) => {
      assert.ok(EngineError.is(error, 'HOST_PROGRAM_NOT_FOUND'), String(error));
      assert.equal(error.data.program, binary);
      return true;
    });
  }
  const missing = packHostPrograms({ binaries: ['sh'], searchPath, files: [join(directory, 'gone')] });
  await assert.rejects(missing, (error) => EngineError.is(error, 'HOST_FILE_UNUSABLE'));
  const device = packHostPrograms({ binaries: ['sh'], searchPath, files: ['/dev/null'] });
  await assert.rejects(device, (error) => EngineError.is(error, 'HOST_FILE_UNUSABLE'));
  await assert.rejects(packHostPrograms({ binaries: [], searchPath }), (error) =>
    EngineError.is(error, 'INVALID_OPTION'),
  );
});

test('an abort ends the archive', async () => {
  const controller = new AbortController();
  const packed = await packHostPrograms({ binaries: ['sh'], searchPath, signal: controller.signal });
  const reason = new Error('enough');
  await assert.rejects(async () => {
    for await (const _ of packed.tar()) controller.abort(reason);
  }, reason);
});
