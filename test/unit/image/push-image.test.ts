import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { hostPlatform } from '#lib/core/platform.js';
import { parseReference } from '#lib/core/reference.js';
import type { ImageServices } from '#lib/image/image-services.js';
import { pullImage } from '#lib/image/pull-image.js';
import { pushImage } from '#lib/image/push-image.js';
import type { PushProgress } from '#lib/image/push-progress.js';
import { tagImage } from '#lib/image/tag-image.js';
import { createMemoryLayerStore } from '#lib/layers/memory/memory-layer-store.js';
import { MemoryRegistryClient } from '#lib/registry/memory/memory-registry-client.js';
import { memoryServices } from '#lib/testing/memory-engine.js';
import { addMemoryImage } from '#lib/testing/memory-image.js';
import { rejection } from '../../helpers/rejection.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';
import { tarOf } from '../../helpers/tar-builder.js';

interface Lab {
  readonly services: ImageServices;
  readonly registry: MemoryRegistryClient;
}

async function open(context: TestContext): Promise<Lab> {
  const registry = new MemoryRegistryClient();
  const layers = createMemoryLayerStore();
  return { services: memoryServices({ root: await scopedDirectory(context), registry, layers }).images, registry };
}

const archives = ['one', 'two', 'three'].map((name) => tarOf({ name, content: name.repeat(100) }));
const target = 'registry.test/team/app:1';

const riscv = { os: 'linux', architecture: 'riscv64' };

describe('a push', () => {
  test('brings the image to the registry as it was pulled, and tells what it does', async (context) => {
    const { services, registry } = await open(context);
    const digest = addMemoryImage(registry, 'source.test/app:1', { layers: archives });
    await pullImage(services, 'source.test/app:1');
    await tagImage(services, 'source.test/app:1', target);
    const seen: PushProgress[] = [];
    const result = await pushImage(services, target, { onProgress: (progress) => seen.push(progress) });
    const { descriptor } = await registry.fetchManifest(parseReference(target));
    assert.equal(descriptor.digest, digest);
    const config = (await services.images.find(target))?.id ?? '';
    const totalBytes = seen.flatMap((each) => (each.type === 'resolved' ? [each.totalBytes] : []))[0];
    assert.deepEqual(result, {
      reference: target,
      digest,
      mediaType: mediaTypes.ociManifest,
      uploadedBytes: totalBytes,
    });
    assert.deepEqual(seen[0], {
      type: 'resolved',
      reference: target,
      digest,
      manifestCount: 1,
      blobCount: archives.length + 1,
      totalBytes,
    });
    for (const blob of [config, ...archives.map((bytes) => digestOf(bytes))]) {
      assert.ok(await registry.hasBlob(parseReference(target), blob as never), blob);
      assert.ok(seen.some((each) => each.type === 'uploaded' && each.digest === blob));
    }
    assert.deepEqual(seen.slice(-2), [
      { type: 'manifest', digest, mediaType: mediaTypes.ociManifest },
      { type: 'complete', digest },
    ]);
  });

  test('sends nothing twice, and nothing that another repository of the registry has', async (context) => {
    const { services, registry } = await open(context);
    addMemoryImage(registry, 'registry.test/base:1', { layers: archives });
    await pullImage(services, 'registry.test/base:1');
    await tagImage(services, 'registry.test/base:1', target);
    const first: PushProgress[] = [];
    await pushImage(services, target, { onProgress: (progress) => first.push(progress) });
    const mounted = first.filter((each) => each.type === 'mounted');
    assert.equal(mounted.length, archives.length + 1);
    assert.ok(mounted.every(({ from }) => from === 'base'));
    const second = await pushImage(services, target);
    assert.equal(second.uploadedBytes, 0);
  });

  test('of an image that is not here, or of another machine, says so', async (context) => {
    const { services, registry } = await open(context);
    await rejection(pushImage(services, target), 'NO_SUCH_IMAGE');
    addMemoryImage(registry, target);
    await pullImage(services, target);
    const { data } = await rejection(pushImage(services, target, { platform: riscv }), 'PLATFORM_NOT_FOUND');
    assert.deepEqual(data.available, [`linux/${hostPlatform().architecture}`]);
  });

  test('of an index of which only one image is here pushes that one; of a complete one, all of it', async (context) => {
    const { services, registry } = await open(context);
    const source = 'source.test/app:all';
    const name = parseReference(source);
    const own = addMemoryImage(registry, 'source.test/app:own', { layers: archives });
    const other = addMemoryImage(registry, 'source.test/app:other', { platform: riscv });
    const entries = await Promise.all(
      [own, other].map(async (digest) => ({
        ...(await registry.resolveManifest({ ...name, digest: digest as never })),
        platform: digest === own ? hostPlatform() : riscv,
      })),
    );
    const document = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: entries };
    const index = registry.addManifest(name, document);
    await pullImage(services, source);
    await tagImage(services, source, target);
    assert.equal((await pushImage(services, target)).digest, own);

    await services.content.put((await registry.fetchManifest({ ...name, digest: other as never })).bytes);
    const { config, layers } = JSON.parse(
      Buffer.from((await registry.fetchManifest({ ...name, digest: other as never })).bytes).toString(),
    );
    for (const blob of [config, ...layers]) {
      const { body } = await registry.fetchBlob(name, blob, 0);
      await services.content.putStream(body);
    }
    assert.equal((await pushImage(services, target)).digest, index.digest);
    const { registry: host, repository } = parseReference(target);
    assert.ok(await registry.resolveManifest({ registry: host, repository, digest: other as never }));
    assert.equal((await pushImage(services, target, { platform: riscv })).digest, other);
  });

  test('that fails at one blob stops the others and sets no tag', async (context) => {
    const { services, registry } = await open(context);
    addMemoryImage(registry, 'source.test/app:1', { layers: archives });
    await pullImage(services, 'source.test/app:1');
    await tagImage(services, 'source.test/app:1', target);
    await services.content.remove(digestOf(archives[1] ?? ''));
    await rejection(pushImage(services, target), 'BLOB_NOT_FOUND');
    assert.equal(await registry.resolveManifest(parseReference(target)), undefined);
  });

  test('on an abort ends with the reason', async (context) => {
    const { services, registry } = await open(context);
    addMemoryImage(registry, target);
    await pullImage(services, target);
    const reason = new Error('changed my mind');
    await assert.rejects(
      pushImage(services, target, { signal: AbortSignal.abort(reason) }),
      (error) => error === reason,
    );
  });
});

describe('a tag', () => {
  test('is a further name, which another image loses', async (context) => {
    const { services, registry } = await open(context);
    addMemoryImage(registry, 'a', { config: { Cmd: ['a'] } });
    addMemoryImage(registry, 'b', { config: { Cmd: ['b'] } });
    const [a, b] = [await pullImage(services, 'a'), await pullImage(services, 'b')];
    await tagImage(services, 'a', 'name:1');
    assert.equal((await services.images.resolve('name:1')).id, a.id);
    await tagImage(services, b.id.slice(0, 19), 'name:1');
    assert.equal((await services.images.resolve('name:1')).id, b.id);
    assert.equal((await services.images.resolve('a')).id, a.id);
  });

  test('with a digest, or of nothing, is refused', async (context) => {
    const { services, registry } = await open(context);
    addMemoryImage(registry, 'a');
    await pullImage(services, 'a');
    await rejection(tagImage(services, 'a', `b@${digestOf('x')}`), 'INVALID_REFERENCE');
    await rejection(tagImage(services, 'c', 'b'), 'NO_SUCH_IMAGE');
  });
});
