import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Engine, EngineError } from 'tscontainer';
import type { Digest } from '#lib/core/digest.js';
import { erofsProblem } from '#lib/layers/overlay/erofs-problem.js';
import { openOverlayLayerStore } from '#lib/layers/overlay/overlay-layer-store.js';
import { openEngineLab } from '../../helpers/engine-lab.js';
import { flockLock } from '../../helpers/flock-lock.js';
import { shimPath, withDirectory } from '../../helpers/layer-fixtures.js';
import { viewOf } from '../../helpers/mounted-view.js';
import { type TarMember, tarOf } from '../../helpers/tar-builder.js';

function layerOf(...members: readonly TarMember[]) {
  const bytes = tarOf(...members);
  const diffId = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
  return {
    diffId,
    open: async function* () {
      yield bytes;
    },
  };
}

const base = layerOf(
  { name: 'd/', type: '5', mode: 0o750 },
  { name: 'd/below', content: 'below' },
  { name: 'e/', type: '5', mode: 0o755 },
  { name: 'link', type: '2', link: 'd' },
);

/** What an index cannot say by itself. */
const unfit: Readonly<Record<string, ReturnType<typeof layerOf>>> = {
  'a directory that it does not describe': layerOf({ name: 'd/new', content: 'new' }),
  'a hard link into the layer below': layerOf({ name: 'again', type: '1', link: 'd/below' }),
  'a link that it writes through': layerOf(
    { name: 'other', type: '2', link: 'e' },
    { name: 'other/new', content: 'new' },
  ),
};

for (const [title, layer] of Object.entries(unfit)) {
  test(`a layer with ${title} is unpacked, above one that is indexed`, () =>
    withDirectory(async (directory) => {
      const store = await openOverlayLayerStore({
        directory: join(directory, 'store'),
        shimPath,
        acquireLock: flockLock,
        sync: false,
        indexed: true,
      });
      await store.apply([base, layer]);
      const trees = await store.trees([base.diffId, layer.diffId]);
      assert.deepEqual(
        trees.map((each) => each.endsWith('/index.erofs')),
        [false, true],
      );
      const [container, target] = [join(directory, 'container'), join(directory, 'mounted')];
      for (const path of [container, target]) await mkdir(path);
      const seen = await viewOf(await store.prepare([base.diffId, layer.diffId], container), target);
      assert.equal(seen.get('d/below'), 'below');
      const plain = await openOverlayLayerStore({
        directory: join(directory, 'plain'),
        shimPath,
        acquireLock: flockLock,
      });
      await plain.apply([base, layer]);
      const other = join(directory, 'other');
      await mkdir(other);
      assert.deepEqual(seen, await viewOf(await plain.prepare([base.diffId, layer.diffId], other), target));
      await store.discard(container);
      await plain.discard(other);
    }));
}

test('a directory of many names, and one of odd ones, is found by name', () =>
  withDirectory(async (directory) => {
    const names = [
      ...'!-.~é',
      '..x',
      '.hidden',
      '-dash',
      ...Array.from({ length: 2000 }, (_, index) => `n${index % 7}-${index}`),
    ];
    const layer = layerOf(
      { name: 'many/', type: '5', mode: 0o755 },
      ...names.map((name) => ({ name: `many/${name}x`, content: name })),
      { name: 'long', pax: { path: `many/${'l'.repeat(255)}` }, content: 'long' },
    );
    const store = await openOverlayLayerStore({
      directory: join(directory, 'store'),
      shimPath,
      acquireLock: flockLock,
      sync: false,
      indexed: true,
    });
    await store.apply([layer]);
    const [container, target] = [join(directory, 'container'), join(directory, 'mounted')];
    for (const path of [container, target]) await mkdir(path);
    const seen = await viewOf(await store.prepare([layer.diffId], container), target);
    for (const name of names) assert.equal(seen.get(latin1(`many/${name}x`)), latin1(latin1(name))); // content is read as latin1, too
    assert.equal(seen.get(`many/${'l'.repeat(255)}`), 'long');
    assert.equal(seen.size, names.length + 2);
    await store.discard(container);
  }));

test('a host that cannot mount them says why, and leaves nothing', () =>
  withDirectory(async (directory) => {
    const missing = await erofsProblem(shimPath, join(directory, 'layers'));
    assert.equal(missing, undefined, 'this host can');
    const root = join(directory, 'root');
    await assert.rejects(erofsProblem('/bin/false', join(directory, 'other')), (error) =>
      EngineError.is(error, 'SHIM_FAILED'),
    );
    await using engine = await Engine.open({ root, runRoot: join(directory, 'run'), layerStore: 'erofs' });
    assert.equal((await engine.images.list()).length, 0);
    assert.ok(existsSync(join(root, 'layers', 'erofs')));
  }));

test('a container with a user namespace is refused: its layers could not be mapped', async () => {
  await using lab = await openEngineLab({ layerStore: 'erofs' });
  const ids = [{ containerId: 0, hostId: 300_000, size: 65_536 }];
  const refused = lab.engine.run(lab.image(), ['true'], { userns: { uids: ids, gids: ids }, network: 'none' });
  await assert.rejects(refused, { code: 'INVALID_OPTION' });
});

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
