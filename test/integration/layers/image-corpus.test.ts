import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCopyLayerStore } from '#lib/layers/copy/copy-layer-store.js';
import type { LayerStore } from '#lib/layers/layer-store.js';
import { openOverlayLayerStore } from '#lib/layers/overlay/overlay-layer-store.js';
import { flockLock } from '../../helpers/flock-lock.js';
import { imageCorpus } from '../../helpers/image-corpus.js';
import { shimPath, withDirectory } from '../../helpers/layer-fixtures.js';
import { layersOfLayout } from '../../helpers/layers-of-layout.js';
import { treeOf } from '../../helpers/mounted-view.js';
import { runChecked } from '../../helpers/run-checked.js';
import { compareListings, listTree, type TreeEntry } from '../../helpers/tree-listing.js';

const stores: Record<string, (directory: string) => Promise<LayerStore>> = {
  overlay: (directory) => openOverlayLayerStore({ directory, shimPath, acquireLock: flockLock, sync: false }),
  erofs: (directory) =>
    openOverlayLayerStore({ directory, shimPath, acquireLock: flockLock, sync: false, indexed: true }),
  copy: (directory) => openCopyLayerStore({ directory, shimPath, acquireLock: flockLock, sync: false }),
};

// What a container sees of an image is what umoci makes of it, whoever made the image, in each store.
test('images of many makers', { timeout: 600_000 }, async (suite) => {
  const made = await mkdtemp(join(tmpdir(), 'tsc-corpus-'));
  suite.after(() => rm(made, { recursive: true, force: true }));
  const images = await imageCorpus(made);
  assert.ok(images.length >= 12, `${images.length} images`);
  for (const { title, layout, like = layout, tree, smallest = 1 } of images) {
    const bundle = join(made, 'bundle');
    if (tree === undefined) await runChecked('umoci', ['unpack', '--image', `${like.path}:${like.tag}`, bundle]);
    const expected = withoutRootTime(await listTree(tree ?? join(bundle, 'rootfs')));
    assert.ok(expected.length > smallest, `${title}: ${expected.length} entries`);
    for (const kind of Object.keys(stores))
      await suite.test(`${title}: ${kind}`, async () => {
        assert.deepEqual(
          compareListings(expected, withoutRootTime(await seen(kind, await layersOfLayout(layout)))),
          [],
        );
      });
    await rm(bundle, { recursive: true, force: true });
  }
});

function seen(kind: string, layers: Awaited<ReturnType<typeof layersOfLayout>>): Promise<readonly TreeEntry[]> {
  return withDirectory(async (directory) => {
    const store = await stores[kind]?.(join(directory, 'store'));
    assert.ok(store !== undefined);
    await store.apply(layers);
    const [container, target] = [join(directory, 'container'), join(directory, 'mounted')];
    for (const path of [container, target]) await mkdir(path);
    const ids = layers.map(({ diffId }) => diffId);
    const mount = await store.prepare(ids, container);
    const entries = await treeOf(mount, target);
    await store.discard(container);
    return entries;
  });
}

/** Not every image describes its root directory: whose time is the container's then. */
function withoutRootTime(entries: readonly TreeEntry[]): TreeEntry[] {
  return entries.map((entry) => (entry.path === '' ? { ...entry, mtime: '' } : entry));
}
