import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { readElf } from '#lib/image/from-host/elf.js';
import { resolveLibraries } from '#lib/image/from-host/resolve-libraries.js';
import { type ElfShape, makeElf } from '../../../helpers/make-elf.js';
import { scopedDirectory } from '../../../helpers/scoped-directory.js';

const native = { wide: true, little: true } as const;

/** Writes ELF files and resolves the first one; the answer is relative to the directory that holds them. */
async function resolve(
  context: TestContext,
  files: Readonly<Record<string, Partial<ElfShape>>>,
  cache?: (directory: string) => Buffer,
): Promise<{ paths: string[]; usesCache: boolean }> {
  const root = await scopedDirectory(context);
  for (const [name, shape] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), makeElf({ ...native, ...shape }));
  }
  if (cache !== undefined) await writeFile(join(root, 'cache'), cache(root));
  const program = join(root, Object.keys(files)[0] ?? '');
  const elf = await readElf(program);
  assert.ok(elf !== undefined);
  const search = { cachePath: join(root, 'cache'), defaultDirectories: [join(root, 'lib')] };
  const { paths, usesCache } = await resolveLibraries(program, elf, search);
  return { paths: paths.map((path) => path.replace(`${root}/`, '')), usesCache };
}

for (const wide of [true, false]) {
  for (const little of [true, false]) {
    test(`ELF of ${wide ? 64 : 32} bits, ${little ? 'little' : 'big'} endian, is read`, async (context) => {
      const path = join(await scopedDirectory(context), 'program');
      const shape = { interpreter: '/lib/ld.so', needed: ['liba.so', 'libb.so'], rpath: '/r:/s', runpath: '$ORIGIN/x' };
      await writeFile(path, makeElf({ wide, little, ...shape }));
      const elf = await readElf(path);
      assert.deepEqual(elf, {
        abi: `${wide ? 64 : 32}-62-${little ? 'little' : 'big'}`,
        interpreter: '/lib/ld.so',
        needed: ['liba.so', 'libb.so'],
        rpath: ['/r', '/s'],
        runpath: ['$ORIGIN/x'],
      });
    });
  }
}

test('text is no ELF file; a damaged one is refused at every length', async (context) => {
  const path = join(await scopedDirectory(context), 'program');
  await writeFile(path, '#!/bin/sh\n'.repeat(20));
  assert.equal(await readElf(path), undefined);
  const whole = makeElf({ ...native, needed: ['liba.so'] });
  for (let length = 52; length < whole.length; length += 3) {
    await writeFile(path, whole.subarray(0, length));
    await assert.rejects(readElf(path), (error) => EngineError.is(error, 'HOST_FILE_UNUSABLE'), `${length} bytes`);
  }
});

test('libraries are found transitively, each once', async (context) => {
  const found = await resolve(context, {
    program: { needed: ['liba.so', 'libb.so'], interpreter: '/lib/ld.so' },
    'lib/liba.so': { needed: ['libb.so', 'libc.so'] },
    'lib/libb.so': { needed: ['liba.so'] },
    'lib/libc.so': {},
  });
  assert.deepEqual(found.paths, ['/lib/ld.so', 'lib/liba.so', 'lib/libb.so', 'lib/libc.so']);
  assert.equal(found.usesCache, false);
});

test('RUNPATH counts for the object itself only, RPATH also for what it loads', async (context) => {
  const runpath = resolve(context, {
    'bin/program': { needed: ['liba.so'], runpath: '$ORIGIN/../private' },
    'private/liba.so': { needed: ['libb.so'] },
    'private/libb.so': {},
  });
  await assert.rejects(runpath, (error) => {
    assert.ok(EngineError.is(error, 'HOST_LIBRARY_NOT_FOUND'));
    assert.equal(error.data.library, 'libb.so');
    return true;
  });
  const rpath = await resolve(context, {
    'bin/program': { needed: ['liba.so'], rpath: `\${ORIGIN}/../private` },
    'private/liba.so': { needed: ['libb.so'] },
    'private/libb.so': {},
  });
  assert.deepEqual(rpath.paths, ['private/liba.so', 'private/libb.so']);
});

test('libraries of another architecture are passed over', async (context) => {
  const found = await resolve(context, {
    program: { needed: ['liba.so'], runpath: '$ORIGIN/a:$ORIGIN/b:$ORIGIN/c' },
    'a/liba.so': { machine: 183 },
    'b/liba.so': { wide: false },
    'c/liba.so': {},
  });
  assert.deepEqual(found.paths, ['c/liba.so']);
});

test('the cache is searched before the default directories, and said to be needed', async (context) => {
  const files = { program: { needed: ['liba.so'] }, 'lib/liba.so': {}, 'opt/liba.so': {} };
  const found = await resolve(context, files, (root) => makeCache({ 'liba.so': join(root, 'opt/liba.so') }));
  assert.deepEqual(found, { paths: ['opt/liba.so'], usesCache: true });
  const stale = await resolve(context, files, () => makeCache({ 'liba.so': '/gone/liba.so' }));
  assert.deepEqual(stale, { paths: ['lib/liba.so'], usesCache: false });
});

test('the C library of musl is its loader', async (context) => {
  const found = await resolve(context, { program: { needed: ['libc.so'], interpreter: '/lib/ld-musl-x86_64.so.1' } });
  assert.deepEqual(found.paths, ['/lib/ld-musl-x86_64.so.1']);
});

/** glibc's cache file with these entries. */
function makeCache(entries: Readonly<Record<string, string>>): Buffer {
  const list = Object.entries(entries);
  const header = Buffer.alloc(48);
  header.write('glibc-ld.so.cache1.1');
  header.writeUInt32LE(list.length, 20);
  const table = Buffer.alloc(24 * list.length);
  let strings = Buffer.alloc(0);
  const add = (text: string): number => {
    const at = 48 + table.length + strings.length;
    strings = Buffer.concat([strings, Buffer.from(`${text}\0`)]);
    return at;
  };
  for (const [index, [name, path]] of list.entries()) {
    table.writeUInt32LE(add(name), index * 24 + 4);
    table.writeUInt32LE(add(path), index * 24 + 8);
  }
  return Buffer.concat([header, table, strings]);
}
