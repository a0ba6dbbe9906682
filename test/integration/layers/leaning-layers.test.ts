import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { openCopyLayerStore } from '#lib/layers/copy/copy-layer-store.js';
import { openOverlayLayerStore } from '#lib/layers/overlay/overlay-layer-store.js';
import { flockLock } from '../../helpers/flock-lock.js';
import { layerOf, shimPath, withDirectory } from '../../helpers/layer-fixtures.js';
import { treeOf } from '../../helpers/mounted-view.js';
import { tarOf } from '../../helpers/tar-builder.js';
import type { TreeEntry } from '../../helpers/tree-listing.js';

const base = tarOf(
  { name: './', type: '5', mode: 0o711, uid: 9 },
  { name: 'usr/', type: '5' },
  { name: 'usr/lib/', type: '5', mode: 0o2751, uid: 4, gid: 5, mtime: 1234, pax: { 'SCHILY.xattr.user.k': 'v' } },
  { name: 'usr/lib/old', content: 'old', mode: 0o4711, uid: 6, mtime: 77 },
  { name: 'lib', type: '2', link: 'usr/lib' },
  { name: 'gone/', type: '5', mode: 0o700 },
);

for (const [kind, open] of [
  ['overlay', openOverlayLayerStore],
  ['copy', openCopyLayerStore],
] as const) {
  /** What a container sees of the stack. */
  const see = (...archives: readonly Buffer[]): Promise<Map<string, TreeEntry>> =>
    withDirectory(async (directory) => {
      const store = await open({ directory: join(directory, 'store'), shimPath, acquireLock: flockLock, sync: false });
      const stack = archives.map((archive) => layerOf(archive));
      await store.apply(stack);
      const ids = stack.map(({ diffId }) => diffId);
      assert.equal(await store.has(ids), true);
      const [container, target] = [join(directory, 'container'), join(directory, 'mounted')];
      for (const path of [container, target]) await mkdir(path);
      const mount = await store.prepare(ids, container);
      return new Map((await treeOf(mount, target)).map((entry) => [entry.path, entry]));
    });

  test(`${kind}: a directory without an entry keeps what it is below`, async () => {
    const files = await see(base, tarOf({ name: 'usr/lib/new', content: 'new' }));
    const directory = files.get('usr/lib');
    assert.equal(directory?.mode, '2751');
    assert.equal(directory?.owner, '4:5');
    assert.equal(directory?.mtime, '1234000000000');
    assert.deepEqual(directory?.xattrs, ['user.k=0x76']);
    assert.equal(files.get('usr/lib/old')?.type, 'file');
    assert.equal(files.get('usr/lib/new')?.type, 'file');
    assert.equal(files.get('')?.mode, '711');
    assert.equal(files.get('')?.owner, '9:0');
  });

  test(`${kind}: a file below a link of a lower layer goes where the link leads`, async () => {
    const files = await see(base, tarOf({ name: 'lib/deep/new', content: 'new' }, { name: 'lib/.wh.old' }));
    assert.equal(files.get('lib')?.target, 'usr/lib');
    assert.equal(files.get('usr/lib/deep/new')?.type, 'file');
    assert.equal(files.has('usr/lib/old'), false);
    assert.equal(files.get('usr/lib')?.mode, '2751');
    assert.equal(files.get('usr/lib')?.mtime, '1234000000000');
  });

  test(`${kind}: a hard link to a file of a lower layer is the same file`, async () => {
    const files = await see(
      base,
      tarOf(
        { name: 'bin/', type: '5' },
        { name: 'bin/l', type: '1', link: 'lib/old' },
        { name: 'bin/m', type: '1', link: 'bin/l' },
      ),
    );
    const file = files.get('usr/lib/old');
    assert.equal(file?.sameFileAs, 'bin/l');
    assert.equal(files.get('bin/l')?.content, file?.content);
    assert.equal(files.get('bin/m')?.sameFileAs, 'bin/l');
    assert.equal(file?.mode, '4711');
    assert.equal(file?.owner, '6:0');
    assert.equal(file?.mtime, '77000000000');
  });

  test(`${kind}: three layers that lean on each other are completed in order`, async () => {
    const files = await see(
      base,
      tarOf({ name: 'usr/lib/one', content: '1' }),
      tarOf({ name: 'two', type: '1', link: 'usr/lib/one' }, { name: 'gone/f', content: 'x' }),
      tarOf({ name: '.wh.gone' }, { name: 'three', type: '1', link: 'two' }),
    );
    assert.equal(files.get('three')?.type, 'file');
    assert.equal(files.get('three')?.sameFileAs, files.get('two')?.sameFileAs);
    assert.equal(files.has('gone'), false);
  });

  test(`${kind}: a layer whose root is opaque hides everything below`, async () => {
    const files = await see(base, tarOf({ name: 'only', content: 'x' }, { name: '.wh..wh..opq' }));
    assert.deepEqual([...files.keys()], ['', 'only']);
  });

  test(`${kind}: a hard link to what is in no layer is refused and named`, () =>
    withDirectory(async (directory) => {
      const store = await open({ directory: join(directory, 'store'), shimPath, acquireLock: flockLock, sync: false });
      const link = tarOf({ name: 'l', type: '1', link: 'nowhere/f' });
      for (const stack of [[layerOf(link)], [layerOf(base), layerOf(link)]])
        await assert.rejects(
          store.apply(stack),
          (error) => EngineError.is(error, 'INVALID_LAYER') && /'nowhere\/f', which is in no layer/.test(error.message),
        );
      assert.deepEqual(await readdir(join(directory, 'store/tmp')), []);
    }));

  test(`${kind}: opening removes what a crash has left, but not what another process works on`, () =>
    withDirectory(async (directory) => {
      const options = { directory: join(directory, 'store'), shimPath, acquireLock: flockLock, sync: false };
      await open(options);
      for (const key of ['crashed', 'busy']) {
        await mkdir(join(options.directory, 'tmp', key, 'fs'), { recursive: true });
        await writeFile(join(options.directory, 'tmp', key, 'fs/half'), 'x');
      }
      {
        await using _lock = await flockLock(join(options.directory, 'locks/busy.lock'));
        await open(options);
        assert.deepEqual(await readdir(join(options.directory, 'tmp')), ['busy']);
      }
      await open(options);
      assert.deepEqual(await readdir(join(options.directory, 'tmp')), []);
    }));

  test(`${kind}: two stores on one directory unpack a layer once`, () =>
    withDirectory(async (directory) => {
      const options = { directory: join(directory, 'store'), shimPath, acquireLock: flockLock, sync: false };
      const stores = [await open(options), await open(options)];
      let opened = 0;
      const { diffId, open: read } = layerOf(base);
      const source = {
        diffId,
        open: () => {
          opened += 1;
          return read();
        },
      };
      await Promise.all(stores.map((store) => store.apply([source])));
      assert.equal(opened, 1);
    }));
}

test('kernels that cannot add overlay layers one by one complete layers too', () =>
  withDirectory(async (directory) => {
    for (const path of ['low/usr/lib', 'middle', 'layer/usr/lib'])
      await mkdir(join(directory, path), { recursive: true });
    await chmod(join(directory, 'low/usr/lib'), 0o711);
    await writeFile(join(directory, 'request'), 'Dusr\0Dusr/lib\0');
    const command =
      'exec strace -f -o "$1" -e trace=fsopen,mount -e inject=fsopen:error=ENOSYS "$2" fix-layer "$3" "$4" "$5"';
    const child = spawn(
      'sh',
      ['-c', `${command} < "$6" 3> "$7"`, 'sh', join(directory, 'trace'), shimPath].concat(
        ['layer', 'middle', 'low', 'request', 'report'].map((name) => join(directory, name)),
      ),
      { stdio: 'inherit' },
    );
    assert.deepEqual(await once(child, 'close'), [0, null]);
    assert.match(await readFile(join(directory, 'trace'), 'utf8'), /fsopen.*ENOSYS.*mount\("overlay"/s);
    assert.equal((await stat(join(directory, 'layer/usr/lib'))).mode & 0o777, 0o711);
  }));
