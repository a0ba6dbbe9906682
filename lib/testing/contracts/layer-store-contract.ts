import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '../../core/digest.js';
import { EngineError, type ErrorCode } from '../../core/errors/engine-error.js';
import type { RootMount } from '../../core/mount.js';
import type { LayerStore } from '../../layers/layer-store.js';
import { layerOf } from '../layer-of.js';
import { tarEnd, tarOf } from '../tar-builder.js';

/** A store under test and the means to look at it. */
export interface LayerStoreUnderTest {
  readonly store: LayerStore;
  /** A directory on the store's file system. */
  readonly directory: string;
  /** Where the store keeps its files; undefined when it has none. */
  readonly storage: string | undefined;
  /** What a container would see: path to `d`, `l:TARGET`, or the content of a file. */
  view(mount: RootMount, diffIds: readonly Digest[]): Promise<ReadonlyMap<string, string>>;
}

/** Runs `work` with a fresh store and cleans up. */
export type WithLayerStore = (work: (tested: LayerStoreUnderTest) => Promise<void>) => Promise<void>;

const base = tarOf(
  { name: 'etc/', type: '5' },
  { name: 'etc/name', content: 'base' },
  { name: 'etc/old', content: 'old' },
  { name: 'dir/', type: '5' },
  { name: 'dir/a', content: 'a' },
  { name: 'dir/sub/', type: '5' },
  { name: 'dir/sub/b', content: 'b' },
  { name: 'full/', type: '5' },
  { name: 'full/x', content: 'x' },
);
const change = tarOf(
  { name: 'etc/', type: '5' },
  { name: 'etc/name', content: 'changed' },
  { name: 'etc/.wh.old' },
  { name: '.wh.dir' },
  { name: 'full/', type: '5' },
  { name: 'full/y', content: 'y' },
  { name: 'full/.wh..wh..opq' },
  { name: 'link', type: '2', link: 'etc/name' },
);
const top = tarOf({ name: 'dir/', type: '5' }, { name: 'dir/new', content: 'new' });

const rejectsWith = (code: ErrorCode) => (error: unknown) => EngineError.is(error, code) || assert.fail(String(error));

/** Every layer store keeps these promises. */
export function layerStoreContract(name: string, withStore: WithLayerStore): void {
  const ids = [base, change, top].map((archive) => digestOf(archive));

  async function see(tested: LayerStoreUnderTest, diffIds: readonly Digest[]): Promise<ReadonlyMap<string, string>> {
    const directory = join(tested.directory, 'container');
    await mkdir(directory, { recursive: true });
    const mount = await tested.store.prepare(diffIds, directory);
    const seen = await tested.view(mount, diffIds);
    await tested.store.discard(directory);
    await tested.store.discard(directory);
    assert.deepEqual(await readdir(directory), [], 'discard leaves nothing');
    return seen;
  }

  async function assertNothingHalf({ storage }: LayerStoreUnderTest): Promise<void> {
    if (storage !== undefined) assert.deepEqual(await readdir(join(storage, 'tmp')), []);
  }

  test(`${name}: a stack shows what its layers make together`, () =>
    withStore(async (tested) => {
      const done: number[] = [];
      await tested.store.apply([layerOf(base), layerOf(change, gzipSync(change)), layerOf(top)], {
        onLayer: (_, index) => done.push(index),
      });
      assert.deepEqual(done, [0, 1, 2]);
      assert.equal(await tested.store.has(ids), true);
      assert.deepEqual(
        [...(await see(tested, ids))].sort(),
        [
          ['dir', 'd'],
          ['dir/new', 'new'],
          ['etc', 'd'],
          ['etc/name', 'changed'],
          ['full', 'd'],
          ['full/y', 'y'],
          ['link', 'l:etc/name'],
        ].sort(),
      );
      await assertNothingHalf(tested);
    }));

  test(`${name}: stacks that share layers do not disturb each other`, () =>
    withStore(async (tested) => {
      const other = tarOf({ name: 'other', content: 'o' });
      await Promise.all([
        tested.store.apply([layerOf(base), layerOf(change)]),
        tested.store.apply([layerOf(base), layerOf(other)]),
      ]);
      assert.equal((await see(tested, ids.slice(0, 2))).get('etc/name'), 'changed');
      const seen = await see(tested, [digestOf(base), digestOf(other)]);
      assert.equal(seen.get('etc/name'), 'base');
      assert.equal(seen.get('other'), 'o');
    }));

  test(`${name}: applying again opens no layer`, () =>
    withStore(async ({ store }) => {
      await store.apply([layerOf(base)]);
      const unread = { diffId: digestOf(base), open: () => assert.fail('opened') };
      await store.apply([unread]);
    }));

  test(`${name}: no layers make an empty root`, () =>
    withStore(async (tested) => {
      await tested.store.apply([]);
      assert.equal(await tested.store.has([]), true);
      assert.deepEqual([...(await see(tested, []))], []);
    }));

  test(`${name}: what was not applied is not there`, () =>
    withStore(async ({ store, directory }) => {
      assert.equal(await store.has(ids), false);
      await assert.rejects(store.prepare(ids, directory), rejectsWith('LAYER_NOT_FOUND'));
      await assert.rejects(store.usage(ids), rejectsWith('LAYER_NOT_FOUND'));
    }));

  const failures: [what: string, archive: Buffer, stored: Buffer, code: ErrorCode][] = [
    ['a wrong diffID', base, change, 'DIGEST_MISMATCH'],
    ['a cut gzip stream', base, gzipSync(base).subarray(0, 90), 'INVALID_LAYER'],
    ['a cut archive', base.subarray(0, 700), base.subarray(0, 700), 'INVALID_LAYER'],
    ['a name that leaves the root', tarOf({ name: '../x' }), tarOf({ name: '../x' }), 'INVALID_LAYER'],
    ['a bare whiteout', tarOf({ name: 'd/.wh.' }), tarOf({ name: 'd/.wh.' }), 'INVALID_LAYER'],
  ];
  for (const [what, archive, stored, code] of failures) {
    test(`${name}: ${what} is refused, nothing of it is left, the next call works`, () =>
      withStore(async (tested) => {
        const stack = [layerOf(base), layerOf(archive, stored)];
        if (archive === base) stack.shift();
        await assert.rejects(tested.store.apply(stack), rejectsWith(code));
        await assertNothingHalf(tested);
        assert.equal(await tested.store.has(stack.map(({ diffId }) => diffId)), false);
        await tested.store.apply([layerOf(base)]);
        assert.equal((await see(tested, [digestOf(base)])).get('etc/name'), 'base');
      }));
  }

  test(`${name}: an abort in the middle of a layer leaves nothing and the next call works`, () =>
    withStore(async (tested) => {
      const abort = new AbortController();
      const reason = new Error('enough');
      const large = tarOf({ name: 'large', content: Buffer.alloc(4_000_000, 'x') });
      const source = {
        diffId: digestOf(large),
        open: async function* () {
          yield large.subarray(0, 1_000_000);
          abort.abort(reason);
          yield large.subarray(1_000_000);
        },
      };
      await assert.rejects(tested.store.apply([layerOf(base), source], { signal: abort.signal }), reason);
      await assertNothingHalf(tested);
      await tested.store.apply([layerOf(base), layerOf(large)]);
      await assert.rejects(tested.store.apply([], { signal: abort.signal }), reason);
    }));

  test(`${name}: a source that fails gives its own error`, () =>
    withStore(async (tested) => {
      const reason = new Error('connection lost');
      const source = {
        diffId: digestOf(base),
        open: async function* () {
          yield base.subarray(0, 512);
          throw reason;
        },
      };
      await assert.rejects(tested.store.apply([source]), reason);
      await assertNothingHalf(tested);
    }));

  test(`${name}: collect removes what nobody needs and says how much it was`, () =>
    withStore(async (tested) => {
      const unused = tarOf({ name: 'unused', content: Buffer.alloc(10_000) });
      await tested.store.apply([layerOf(base)]);
      await tested.store.apply([layerOf(unused)]);
      assert.equal(await tested.store.collect([[digestOf(base)]]), 10_000);
      assert.equal(await tested.store.has([digestOf(unused)]), false);
      assert.equal(await tested.store.has([digestOf(base)]), true);
      assert.equal(await tested.store.collect([[digestOf(base)]]), 0);
      await tested.store.apply([layerOf(unused)]);
      assert.equal(await tested.store.has([digestOf(unused)]), true);
    }));

  test(`${name}: usage counts the bytes of the files`, () =>
    withStore(async ({ store }) => {
      const layer = tarOf({ name: 'f', content: Buffer.alloc(5000) });
      await store.apply([layerOf(layer)]);
      const usage = await store.usage([digestOf(layer)]);
      assert.deepEqual([usage.diffIds, usage.sizeBytes], [[digestOf(layer)], 5000]);
      assert.deepEqual(
        usage.parts.map(({ sizeBytes }) => sizeBytes),
        [5000],
      );
    }));

  test(`${name}: the parts of a stack are its size, and their keys are the same for the same stack`, () =>
    withStore(async ({ store }) => {
      const [low, high] = [tarOf({ name: 'f', content: Buffer.alloc(5000) }), tarOf({ name: 'g', content: 'abc' })];
      await store.apply([layerOf(low), layerOf(high)]);
      const stack = [digestOf(low), digestOf(high)];
      const { sizeBytes, parts } = await store.usage(stack);
      assert.equal(sizeBytes, 5003);
      const sizes = new Map(parts.map((part) => [part.key, part.sizeBytes]));
      assert.equal(
        [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0),
        sizeBytes,
      );
      assert.deepEqual((await store.usage(stack)).parts, parts);
    }));

  test(`${name}: 130 layers make one stack`, () =>
    withStore(async (tested) => {
      const archives = Array.from({ length: 130 }, (_, index) => tarOf({ name: `f${index}`, content: `${index}` }));
      await tested.store.apply(archives.map((archive) => layerOf(archive)));
      const seen = await see(
        tested,
        archives.map((archive) => digestOf(archive)),
      );
      assert.equal(seen.size, 130);
      assert.equal(seen.get('f129'), '129');
    }));

  test(`${name}: an archive without members is a layer`, () =>
    withStore(async (tested) => {
      await tested.store.apply([layerOf(tarEnd())]);
      assert.deepEqual([...(await see(tested, [digestOf(tarEnd())]))], []);
    }));
}
