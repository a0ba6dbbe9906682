import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '#lib/core/digest.js';
import { addBuiltImage } from '../../helpers/built-image.js';
import { type MemoryLab, openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';
import { tarOf } from '../../helpers/tar-builder.js';

const shared = tarOf({ name: 'shared', content: Buffer.alloc(3000) });
const ofA = tarOf({ name: 'a', content: Buffer.alloc(500) });
const ofB = tarOf({ name: 'b', content: Buffer.alloc(700) });

async function open(context: Parameters<typeof openMemoryLab>[0]): Promise<MemoryLab & { readonly a: string }> {
  const lab = await openMemoryLab(context);
  const a = addBuiltImage(lab.registry, 'a', {
    created: '2024-01-01T00:00:00Z',
    layers: [shared, ofA],
    labels: { x: '1' },
  });
  addBuiltImage(lab.registry, 'b', { created: '2025-01-01T00:00:00Z', layers: [shared, ofB] });
  await lab.engine.images.pull('a');
  await lab.engine.images.pull('b');
  return { ...lab, a };
}

async function bytesOf({ content }: MemoryLab): Promise<number> {
  let bytes = 0;
  for await (const { size } of content.list()) bytes += size;
  return bytes;
}

test('a removal tells what it has taken and freed', async (context) => {
  const lab = await open(context);
  await lab.engine.images.tag('a', 'also');
  assert.deepEqual(await lab.engine.images.remove('also'), {
    untagged: ['also:latest'],
    deleted: undefined,
    freedBytes: 0,
  });
  const before = await bytesOf(lab);
  const removed = await lab.engine.images.remove('a');
  assert.deepEqual([removed.untagged, removed.deleted], [['a:latest'], lab.a]);
  assert.equal(
    removed.freedBytes,
    before - (await bytesOf(lab)) + 500,
    'blobs, and what was unpacked of its own layer',
  );
});

test('by its id an image is removed with its name, but not with several unless that is forced', async (context) => {
  const { engine, a } = await open(context);
  await engine.images.tag('a', 'also');
  const { kind, data } = await rejection(engine.images.remove(a), 'IMAGE_HAS_NAMES');
  assert.deepEqual([kind, data], ['conflict', { reference: a, names: ['a:latest', 'also:latest'] }]);
  const removed = await engine.images.remove(a.slice(7, 15), { force: true });
  assert.deepEqual([removed.untagged, removed.deleted], [['a:latest', 'also:latest'], a]);
  const { id } = await engine.images.get('b');
  assert.deepEqual((await engine.images.remove(id)).untagged, ['b:latest']);
  assert.deepEqual(await engine.images.list(), []);
});

test('forced, an image of a running container loses its name and stays; without running containers it goes', async (context) => {
  const lab = await open(context);
  const { engine, a, services } = lab;
  const container = await engine.containers.create({ image: 'a' });
  await container.start();
  const inUse = await rejection(engine.images.remove('a'), 'IMAGE_IN_USE');
  assert.deepEqual([inUse.kind, inUse.data.containers], ['conflict', [container.id.slice(0, 12)]]);
  await rejection(engine.images.remove(a, { force: true }), 'IMAGE_IN_USE');
  assert.deepEqual(await engine.images.remove('a', { force: true }), {
    untagged: ['a:latest'],
    deleted: undefined,
    freedBytes: 0,
  });
  assert.deepEqual((await engine.images.get(a)).names, []);
  assert.ok(await services.images.layers.has([digestOf(shared), digestOf(ofA)]));

  await container.stop({ timeoutMs: 0 });
  await rejection(engine.images.remove(a), 'IMAGE_IN_USE');
  assert.equal((await engine.images.remove(a, { force: true })).deleted, a);
  await rejection(engine.images.get(a), 'NO_SUCH_IMAGE');
  await container.start(); // its layers are its own
  assert.equal(container.status, 'running');
  await container.remove({ force: true });
  await engine.images.prune();
  assert.ok(!(await services.images.layers.has([digestOf(shared), digestOf(ofA)])));
});

test('an image whose name moves to another stays without a name until it is pruned', async (context) => {
  const lab = await open(context);
  const { engine, a } = lab;
  await engine.images.tag('b', 'a');
  assert.deepEqual((await engine.images.get(a)).names, []);
  const before = await bytesOf(lab);
  const pruned = await engine.images.prune();
  assert.deepEqual([pruned.deleted, pruned.untagged], [[a], []]);
  assert.equal(pruned.freedBytes, before - (await bytesOf(lab)) + 500);
  assert.deepEqual((await engine.images.get('b')).names, ['a:latest', 'b:latest']);
});

test('prune takes what no container uses, by age and label', async (context) => {
  const { engine, a } = await open(context);
  const { id: b } = await engine.images.get('b');
  const container = await engine.containers.create({ image: 'b' });
  const deleted = async (options: Parameters<typeof engine.images.prune>[0]): Promise<readonly string[]> =>
    (await engine.images.prune(options)).deleted;
  assert.deepEqual(await deleted({}), []);
  assert.deepEqual(await deleted({ all: true, labels: ['x=2'] }), []);
  assert.deepEqual(await deleted({ all: true, until: new Date('2024-01-01T00:00:00Z') }), []);
  assert.deepEqual(await deleted({ all: true, until: new Date('2024-01-02T00:00:00Z'), labels: ['x', 'x=1'] }), [a]);
  assert.deepEqual(await deleted({ all: true }), []);
  await container.remove();
  assert.deepEqual(await deleted({ all: true }), [b]);
  assert.equal((await rejection(engine.images.prune({ labels: [''] }), 'INVALID_OPTION')).data.option, 'labels');
  const until = new Date('x');
  assert.equal((await rejection(engine.images.prune({ until }), 'INVALID_OPTION')).data.option, 'until');
});

test('prune removes what an interrupted pull has left, and waits for one that goes on', async (context) => {
  const { engine, content, services } = await openMemoryLab(context);
  const bytes = Buffer.alloc(1000, 'x');
  const blob = { mediaType: 'x/y', digest: digestOf(bytes), size: 1000 };
  const half = content.ingest(blob, async () => ({
    offset: 0,
    body: (async function* () {
      yield bytes.subarray(0, 400);
      throw new Error('cut');
    })(),
  }));
  await assert.rejects(half);
  assert.equal((await engine.diskUsage()).images.partialBytes, 400);
  assert.equal((await engine.images.prune({ until: new Date(Date.now() - 3_600_000) })).freedBytes, 0);
  let release: () => void = () => undefined;
  const pulling = services.images.holdContent(undefined, () => new Promise<void>((resolve) => (release = resolve)));
  const order: string[] = [];
  const pruning = engine.images.prune().then((pruned) => {
    order.push('pruned');
    return pruned;
  });
  await new Promise((resolve) => setImmediate(resolve));
  order.push('pull ends');
  release();
  await pulling;
  assert.equal((await pruning).freedBytes, 400);
  assert.deepEqual(order, ['pull ends', 'pruned']);
  assert.equal((await engine.images.diskUsage()).partialBytes, 0);
});

test('a prune that waits can be aborted', async (context) => {
  const { engine, services } = await openMemoryLab(context);
  await services.images.holdContent(undefined, async () => {
    const reason = new Error('enough');
    await assert.rejects(engine.images.prune({ signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const pruning = engine.images.prune({ signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(pruning, reason);
  });
});

test('disk usage tells shared from unique bytes, and what a prune would free', async (context) => {
  const lab = await open(context);
  const { engine } = lab;
  const container = await engine.containers.create({ image: 'a' });
  const usage = await engine.images.diskUsage();
  const [a, b] = usage.images;
  assert.ok(a !== undefined && b !== undefined);
  assert.deepEqual([a.names, a.containers, b.names, b.containers], [['a:latest'], 1, ['b:latest'], 0]);
  const sharedBytes = 3000 + shared.byteLength;
  assert.deepEqual([a.sharedBytes, b.sharedBytes], [sharedBytes, sharedBytes]);
  for (const each of [a, b]) assert.equal(each.sizeBytes, each.sharedBytes + each.uniqueBytes);
  assert.equal(usage.sizeBytes, (await bytesOf(lab)) + 3000 + 500 + 700);
  assert.equal(usage.sizeBytes, a.uniqueBytes + b.uniqueBytes + sharedBytes);
  assert.equal(usage.reclaimableBytes, b.uniqueBytes);
  const pruned = await engine.images.prune({ all: true });
  assert.equal(pruned.freedBytes, usage.reclaimableBytes, 'what was told is what is freed');
  await container.remove();
  assert.equal((await engine.images.prune({ all: true })).freedBytes, a.sizeBytes);
  assert.deepEqual(await engine.diskUsage(), {
    images: { images: [], sizeBytes: 0, reclaimableBytes: 0, partialBytes: 0 },
    containers: { containers: [], sizeBytes: 0, reclaimableBytes: 0 },
  });
});
