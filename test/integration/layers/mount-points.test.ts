import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MountPoint } from '#lib/layers/layer-store.js';
import { openOverlayLayerStore } from '#lib/layers/overlay/overlay-layer-store.js';
import { flockLock } from '../../helpers/flock-lock.js';
import { layerOf, shimPath, withDirectory } from '../../helpers/layer-fixtures.js';
import { runOnRoot } from '../../helpers/mounted-view.js';
import { tarOf } from '../../helpers/tar-builder.js';

const mountPoints: readonly MountPoint[] = [
  { path: '/proc', kind: 'kernel directory' },
  { path: '/sys', kind: 'kernel directory' },
  { path: '/etc/hosts', kind: 'file' },
  { path: '/etc/hostname', kind: 'file' },
  { path: '/etc/resolv.conf', kind: 'file' },
];

/** Prepares two containers of a stack; `look` runs a shell command on the root of the second. */
async function prepared(
  archive: Buffer,
  check: (see: { look: (command: string) => Promise<string>; upper: string; layers: string }) => Promise<void>,
): Promise<void> {
  await withDirectory(async (directory) => {
    const store = await openOverlayLayerStore({
      ...{ directory: join(directory, 'store'), shimPath, acquireLock: flockLock, sync: false },
    });
    const layer = layerOf(archive);
    await store.apply([layer]);
    const target = join(directory, 'mounted');
    await mkdir(target);
    for (const name of ['first', 'second']) await mkdir(join(directory, name));
    await store.prepare([layer.diffId], join(directory, 'first'), { mountPoints });
    const mount = await store.prepare([layer.diffId], join(directory, 'second'), { mountPoints });
    assert.ok(mount.type === 'overlay');
    const layers = join(directory, 'store', 'layers');
    await check({
      look: (command) => runOnRoot(mount, target, ['sh', '-c', `cd ${target} && ${command}`]),
      upper: mount.upper,
      layers,
    });
    assert.equal((await readdir(layers)).length, 2, 'one layer of mount points for all containers of an image');
    await store.collect([[layer.diffId]]);
    assert.equal((await readdir(layers)).length, 2);
    await store.collect([]);
    assert.deepEqual(await readdir(layers), []);
  });
}

test('what an image lacks of the mount points is there, and a container’s own layer stays empty', async () => {
  const archive = tarOf(
    { name: 'etc/', type: '5', mode: 0o711, uid: 3, mtime: 77 },
    { name: 'etc/hosts', content: 'own' },
  );
  await prepared(archive, async ({ look, upper }) => {
    assert.equal(
      await look('stat -c "%F %a" proc sys etc/hostname etc/resolv.conf | sort -u'),
      ['directory 755\n', 'regular empty file 644\n'].join(''),
    );
    assert.equal(await look('stat -c "%a %u" etc'), '711 3\n', 'a directory that was there is as it was');
    assert.equal(await look('cat etc/hosts'), 'own', 'and so is a file');
    assert.deepEqual(await readdir(upper), []);
  });
});

test('a link of the image leads to a file inside, and one in the place of a kernel directory is left to the start', async () => {
  const archive = tarOf(
    { name: 'etc/resolv.conf', type: '2', link: '/run/systemd/resolve/stub-resolv.conf' },
    { name: 'etc/hostname', type: '2', link: '../../../../outside' },
    { name: 'proc', type: '2', link: '/tmp' },
  );
  await prepared(archive, async ({ look, layers }) => {
    assert.equal(
      await look('stat -c "%F" run/systemd/resolve/stub-resolv.conf outside | sort -u'),
      'regular empty file\n',
    );
    assert.equal(await look('readlink proc'), '/tmp\n');
    const [made = ''] = (await readdir(layers)).filter((name) => name.startsWith('mount-points'));
    assert.deepEqual((await readdir(join(layers, made))).sort(), ['fs', 'layer.json']);
  });
});
