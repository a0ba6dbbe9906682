import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { MemoryContentStore } from '#lib/content/memory/memory-content-store.js';
import type { Abortable } from '#lib/core/abortable.js';
import type { Descriptor } from '#lib/core/descriptor.js';
import { digestOf } from '#lib/core/digest.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { hostPlatform } from '#lib/core/platform.js';
import { formatReference, parseReference, type Reference } from '#lib/core/reference.js';
import type { ImageServices } from '#lib/image/image-services.js';
import { pullImage } from '#lib/image/pull-image.js';
import type { PullProgress } from '#lib/image/pull-progress.js';
import { createMemoryLayerStore, type MemoryLayerStore } from '#lib/layers/memory/memory-layer-store.js';
import { MemoryRegistryClient } from '#lib/registry/memory/memory-registry-client.js';
import type { FetchedBlob } from '#lib/registry/registry-client.js';
import { memoryServices } from '#lib/testing/memory-engine.js';
import { addMemoryImage } from '#lib/testing/memory-image.js';
import { rejection } from '../../helpers/rejection.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';
import { tarOf } from '../../helpers/tar-builder.js';

interface Lab {
  readonly services: ImageServices;
  readonly registry: ScriptedRegistry;
  readonly layers: MemoryLayerStore;
}

/** A registry whose blobs can be held back or broken. */
class ScriptedRegistry extends MemoryRegistryClient {
  readonly fetched: string[] = [];
  beforeBlob: (descriptor: Descriptor, signal: AbortSignal | undefined) => Promise<void> = async () => undefined;

  override async fetchBlob(
    reference: Reference,
    descriptor: Descriptor,
    offset: number,
    options: Abortable = {},
  ): Promise<FetchedBlob> {
    this.fetched.push(descriptor.digest);
    await this.beforeBlob(descriptor, options.signal);
    return super.fetchBlob(reference, descriptor, offset, options);
  }
}

async function open(context: TestContext): Promise<Lab> {
  const registry = new ScriptedRegistry();
  const layers = createMemoryLayerStore();
  const { images } = memoryServices({ root: await scopedDirectory(context), registry, layers });
  return { services: images, registry, layers };
}

const archives = ['one', 'two', 'three'].map((name) => tarOf({ name, content: name.repeat(100) }));
const digests = archives.map((bytes) => digestOf(bytes));

/** Rejects when the signal aborts: a download that would take for ever. */
const untilAborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));

describe('a pull', () => {
  test('makes the image usable and gives its record', async (context) => {
    const { services, registry, layers } = await open(context);
    const target = addMemoryImage(registry, 'app:1', {
      layers: archives,
      config: { Cmd: ['run'], Labels: { a: 'b' } },
    });
    const image = await pullImage(services, 'app:1');
    assert.equal(image.name, formatReference(parseReference('app:1')));
    assert.deepEqual([image.target, image.manifest], [target, target]);
    assert.deepEqual(
      image.layers.map(({ diffId }) => diffId),
      digests,
    );
    assert.ok(await layers.has(digests));
    assert.equal(layers.view(digests).get('two')?.content.toString(), 'two'.repeat(100));
    assert.deepEqual(await services.images.find(image.name), image);
    assert.deepEqual(JSON.parse(image.config).config, { Cmd: ['run'], Labels: { a: 'b' } });
  });

  test('tells what it does, in this order', async (context) => {
    const { services, registry } = await open(context);
    addMemoryImage(registry, 'app:1', { layers: archives });
    const seen: PullProgress[] = [];
    const image = await pullImage(services, 'app:1', { onProgress: (progress) => seen.push(progress) });
    const totalBytes = archives.reduce((sum, { length }) => sum + length, 0);
    assert.deepEqual(seen[0], { type: 'resolving', reference: image.name });
    assert.deepEqual(seen[1], { type: 'resolved', digest: image.target, layerCount: 3, totalBytes });
    assert.deepEqual(seen.at(-1), { type: 'complete', id: image.id });
    const unpacked = seen.flatMap((each) => (each.type === 'unpacked' ? [each] : []));
    assert.deepEqual(
      unpacked.map(({ diffId, index, layerCount }) => [diffId, index, layerCount]),
      digests.map((digest, index) => [digest, index, 3]),
    );
    for (const [index, digest] of digests.entries()) {
      const of = seen.flatMap((each, at) =>
        each.type === 'downloading' && each.digest === digest ? [{ ...each, at }] : [],
      );
      const last = of.at(-1);
      assert.ok(
        last !== undefined && last.doneBytes === last.totalBytes && last.totalBytes === archives[index]?.length,
      );
      assert.ok(of.every((each, place) => place === 0 || each.doneBytes >= (of[place - 1]?.doneBytes ?? 0)));
      const usableAt = seen.findIndex((each) => each.type === 'unpacked' && each.diffId === digest);
      assert.ok(last.at < usableAt, 'a layer is complete before it is usable');
    }
  });

  test('is not disturbed by a listener that throws', async (context) => {
    const { services, registry } = await open(context);
    addMemoryImage(registry, 'app:1');
    const onProgress = (): void => {
      throw new Error('a bug of the caller');
    };
    assert.equal((await pullImage(services, 'app:1', { onProgress })).layers.length, 1);
  });

  test('fetches nothing twice: neither a layer that two images share nor one that is listed twice', async (context) => {
    const { services, registry } = await open(context);
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = archives;
    addMemoryImage(registry, 'a', { layers: [first, second, first] });
    addMemoryImage(registry, 'b', { layers: [first], config: { Cmd: ['b'] } });
    await pullImage(services, 'a');
    await pullImage(services, 'b');
    await pullImage(services, 'a');
    for (const digest of [digestOf(first), digestOf(second)]) {
      assert.equal(registry.fetched.filter((each) => each === digest).length, 1);
    }
  });

  test('many at once of one name are one', async (context) => {
    const { services, registry } = await open(context);
    addMemoryImage(registry, 'app', { layers: archives });
    const images = await Promise.all(Array.from({ length: 10 }, () => pullImage(services, 'app')));
    assert.equal(new Set(images.map(({ id }) => id)).size, 1);
    assert.equal(registry.fetched.length, archives.length + 1, 'layers and configuration');
  });

  test('gets compressed layers, and keeps them as they are stored', async (context) => {
    const { services, registry, layers } = await open(context);
    const name = parseReference('zipped');
    const blob = gzipSync(archives[0] ?? '');
    const config = { ...hostPlatform(), rootfs: { type: 'layers', diff_ids: [digests[0]] } };
    registry.addManifest(name, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: registry.addBlob(name, Buffer.from(JSON.stringify(config)), mediaTypes.ociConfig),
      layers: [registry.addBlob(name, blob, mediaTypes.ociLayerGzip)],
    });
    const image = await pullImage(services, 'zipped');
    assert.deepEqual(image.layers, [{ digest: digestOf(blob), size: blob.length, diffId: digests[0] }]);
    assert.ok(await layers.has(digests.slice(0, 1)));
  });

  test('moves the name when it means another image by now, which leaves the old one without any', async (context) => {
    const { services, registry } = await open(context);
    addMemoryImage(registry, 'app', { config: { Cmd: ['old'] } });
    const old = await pullImage(services, 'app');
    addMemoryImage(registry, 'app', { config: { Cmd: ['new'] } });
    const image = await pullImage(services, 'app');
    assert.notEqual(image.id, old.id);
    assert.deepEqual(await services.images.list(), [image, { ...old, name: old.id }]);
    addMemoryImage(registry, 'app', { config: { Cmd: ['old'] } });
    const again = await pullImage(services, 'app');
    assert.deepEqual({ ...again, storedAt: old.storedAt }, old);
    assert.deepEqual(
      (await services.images.list()).map(({ name }) => name),
      [old.name, image.id],
    );
  });

  test('takes the image for the platform that was asked for', async (context) => {
    const { services, registry } = await open(context);
    const riscv = { os: 'linux', architecture: 'riscv64' };
    addMemoryImage(registry, 'app', { platform: riscv });
    const { data } = await rejection(pullImage(services, 'app'), 'PLATFORM_NOT_FOUND');
    assert.deepEqual(data.available, ['linux/riscv64']);
    assert.equal((await pullImage(services, 'app', { platform: riscv })).layers.length, 1);
  });
});

describe('a pull that fails', () => {
  test('of an unknown image leaves nothing', async (context) => {
    const { services } = await open(context);
    await rejection(pullImage(services, 'missing'), 'IMAGE_NOT_FOUND');
    await rejection(pullImage(services, 'Not A Name'), 'INVALID_REFERENCE');
    assert.deepEqual(await services.images.list(), []);
  });

  test('at one layer stops the others and leaves no image; the next pull goes on from there', async (context) => {
    const { services, registry } = await open(context);
    addMemoryImage(registry, 'app', { layers: archives });
    const broken = new EngineError('REGISTRY_FAILED', { registry: 'r', status: 500, reason: 'no' });
    const stopped: string[] = [];
    registry.beforeBlob = async ({ digest }, signal) => {
      if (digest === digests[1]) throw broken;
      if (digest === digests[2]) {
        await untilAborted(signal).catch((error: unknown) => {
          stopped.push(digest);
          throw error;
        });
      }
    };
    await assert.rejects(pullImage(services, 'app'), (error) => error === broken);
    assert.deepEqual(stopped, [digests[2]]);
    assert.deepEqual(await services.images.list(), []);
    registry.beforeBlob = async () => undefined;
    registry.fetched.length = 0;
    await pullImage(services, 'app');
    assert.ok(!registry.fetched.includes(digests[0] ?? ''), 'what was here was not fetched again');
  });

  test('keeps the image that had the name before', async (context) => {
    const { services, registry } = await open(context);
    addMemoryImage(registry, 'app', { config: { Cmd: ['old'] } });
    const old = await pullImage(services, 'app');
    addMemoryImage(registry, 'app', { layers: archives });
    registry.beforeBlob = () => Promise.reject(new Error('cut'));
    await assert.rejects(pullImage(services, 'app'), /cut/);
    assert.deepEqual(await services.images.list(), [old]);
  });

  test('by its diffID is refused with the layer', async (context) => {
    const { services, registry } = await open(context);
    const name = parseReference('lying');
    const config = { ...hostPlatform(), rootfs: { type: 'layers', diff_ids: [digests[1]] } };
    registry.addManifest(name, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: registry.addBlob(name, Buffer.from(JSON.stringify(config)), mediaTypes.ociConfig),
      layers: [registry.addBlob(name, archives[0] ?? Buffer.alloc(0), mediaTypes.ociLayer)],
    });
    const { data } = await rejection(pullImage(services, 'lying'), 'DIGEST_MISMATCH');
    assert.deepEqual([data.expected, data.actual], [digests[1], digests[0]]);
    assert.deepEqual(await services.images.list(), []);
  });

  test('on an abort stops at once, whatever it is doing', async (context) => {
    const { services, registry } = await open(context);
    addMemoryImage(registry, 'app', { layers: archives });
    const reason = new Error('changed my mind');
    await assert.rejects(
      pullImage(services, 'app', { signal: AbortSignal.abort(reason) }),
      (error) => error === reason,
    );
    assert.deepEqual(registry.fetched, []);

    const controller = new AbortController();
    registry.beforeBlob = async ({ digest }, signal) => {
      if (!digests.includes(digest)) return;
      queueMicrotask(() => controller.abort(reason));
      await untilAborted(signal);
    };
    await assert.rejects(pullImage(services, 'app', { signal: controller.signal }), (error) => error === reason);
    assert.deepEqual(await services.images.list(), []);
    registry.beforeBlob = async () => undefined;
    assert.equal((await pullImage(services, 'app')).layers.length, 3);
  });

  test('after an abort at the last moment there is no image either', async (context) => {
    const { services, registry } = await open(context);
    addMemoryImage(registry, 'app');
    const controller = new AbortController();
    const onProgress = ({ type }: PullProgress): void => {
      if (type === 'unpacked') controller.abort(new Error('late'));
    };
    await assert.rejects(pullImage(services, 'app', { signal: controller.signal, onProgress }), /late/);
    assert.deepEqual(await services.images.list(), []);
  });
});

test('at most four downloads are under way', async (context) => {
  const { services, registry } = await open(context);
  addMemoryImage(registry, 'wide', {
    layers: Array.from({ length: 12 }, (_, index) => tarOf({ name: `file-${index}`, content: String(index) })),
  });
  let running = 0;
  let most = 0;
  registry.beforeBlob = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
  };
  await pullImage(services, 'wide');
  assert.equal(most, 4);
});

test('the content store of the lab is the one that was pulled into', async (context) => {
  const content = new MemoryContentStore();
  const registry = new MemoryRegistryClient();
  const { images } = memoryServices({ root: await scopedDirectory(context), registry, content });
  addMemoryImage(registry, 'app', { layers: archives });
  const image = await pullImage(images, 'app');
  for (const digest of [image.target, image.id, ...digests]) assert.ok(await content.stat(digest), digest);
});
