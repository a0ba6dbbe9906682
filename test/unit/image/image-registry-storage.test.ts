import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { serveRegistry } from 'tscontainer';
import { type Digest, digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { hostPlatform } from '#lib/core/platform.js';
import { parseReference } from '#lib/core/reference.js';
import { collectContent } from '#lib/image/collect-content.js';
import { ImageRegistryStorage } from '#lib/image/image-registry-storage.js';
import { pullImage } from '#lib/image/pull-image.js';
import { removeImage } from '#lib/image/remove-image.js';
import { MemoryRegistryClient } from '#lib/registry/memory/memory-registry-client.js';
import { memoryServices, openMemoryEngine } from '#lib/testing/memory-engine.js';
import { addMemoryImage } from '#lib/testing/memory-image.js';
import { rawRequest } from '../../helpers/raw-request.js';
import { rejection } from '../../helpers/rejection.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';
import { tarOf } from '../../helpers/tar-builder.js';

const riscv = { os: 'linux', architecture: 'riscv64' };

async function open(context: TestContext) {
  const { images, registryLinks } = memoryServices({ root: await scopedDirectory(context) });
  const storage = new ImageRegistryStorage(images, registryLinks);
  const blob = async (repository: string, bytes: Uint8Array, mediaType: string) => {
    const digest = digestOf(bytes);
    await using writer = await storage.beginBlob();
    await writer.append(bytes);
    await storage.commitBlob(repository, writer, digest);
    return { mediaType, digest, size: bytes.byteLength };
  };
  const put = async (repository: string, document: { mediaType: string }, ...tags: string[]) => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, ...document }));
    const descriptor = { mediaType: document.mediaType, digest: digestOf(bytes), size: bytes.byteLength };
    await storage.putManifest(repository, { descriptor, bytes }, tags, {});
    return descriptor;
  };
  const image = async (repository: string, name: string, platform: object, ...tags: string[]) => {
    const layer = tarOf({ name, content: name });
    const content = { ...platform, rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } };
    const config = await blob(repository, Buffer.from(JSON.stringify(content)), mediaTypes.ociConfig);
    const layers = [await blob(repository, layer, mediaTypes.ociLayer)];
    const document = { mediaType: mediaTypes.ociManifest, config, layers };
    return { ...(await put(repository, document, ...tags)), layer: digestOf(layer) };
  };
  const stored = async (): Promise<Set<Digest>> => {
    const all = new Set<Digest>();
    for await (const { digest } of images.content.list()) all.add(digest);
    return all;
  };
  return { images, storage, registryLinks, blob, put, image, stored };
}

describe('an engine as a registry', () => {
  test('has what is pushed to it as an image, usable and under that name', async (context) => {
    const { images, storage, image, registryLinks } = await open(context);
    const pushed = await image('team/app', 'one', hostPlatform(), '1', 'latest');
    for (const name of ['team/app:1', 'team/app']) {
      const record = await images.images.resolve(name);
      assert.equal(record.target, pushed.digest);
      assert.ok(await images.layers.has(record.layers.map(({ diffId }) => diffId)));
    }
    assert.deepEqual(await storage.listTags('team/app'), ['1', 'latest']);
    assert.deepEqual(await storage.listRepositories(), ['team/app']);
    assert.deepEqual([...(await registryLinks.digests())], [], 'nothing is held beside the image');
    assert.ok((await storage.statBlob('team/app', pushed.layer)) !== undefined);
    assert.equal((await storage.getManifest('team/app', pushed.digest))?.descriptor.digest, pushed.digest);
  });

  test('shows the images that it has, by the names that it calls them', async (context) => {
    const registry = new MemoryRegistryClient();
    const { images, registryLinks } = memoryServices({ root: await scopedDirectory(context), registry });
    for (const name of ['debian:12', 'ghcr.io/owner/app:1', 'localhost:5000/hidden:1']) {
      addMemoryImage(registry, name, { config: { Cmd: [name] } });
      await pullImage(images, name);
    }
    const storage = new ImageRegistryStorage(images, registryLinks);
    assert.deepEqual(await storage.listRepositories(), ['debian', 'ghcr.io/owner/app']);
    assert.ok((await storage.getManifest('debian', '12')) !== undefined);
    assert.ok((await storage.getManifest('library/debian', '12')) !== undefined, 'the same by its other name');
    assert.equal(await storage.getManifest('debian', '13'), undefined);
    const { layers, target } = await images.images.resolve('debian:12');
    assert.equal(await storage.statBlob('ghcr.io/owner/app', target), undefined, 'not in another repository');
    assert.ok((await storage.statBlob('debian', layers[0]?.digest ?? target)) !== undefined);
  });

  test('keeps artifacts and images of other machines beside its images, and they survive a clean-up', async (context) => {
    const { images, storage, image, blob, put, stored } = await open(context);
    const other = await image('team/app', 'other', riscv, 'riscv');
    const empty = await blob('team/app', Buffer.from('{}'), 'application/vnd.oci.empty.v1+json');
    const document = { mediaType: mediaTypes.ociManifest, artifactType: 'x/chart', config: empty, layers: [empty] };
    const chart = await put('team/app', document, 'chart');
    assert.deepEqual(await images.images.list(), []);
    assert.deepEqual(await storage.listTags('team/app'), ['chart', 'riscv']);
    await collectContent(images);
    for (const digest of [other.digest, other.layer, chart.digest, empty.digest])
      assert.ok((await stored()).has(digest));
    assert.equal((await storage.getManifest('team/app', 'chart'))?.descriptor.digest, chart.digest);
  });

  test('takes an index with its images; the one of this machine runs, all are served, and all go with the name', async (context) => {
    const { images, storage, image, put, stored } = await open(context);
    const own = await image('app', 'own', hostPlatform());
    const other = await image('app', 'other', riscv);
    const entry = ({ mediaType, digest, size }: typeof own, platform: object) => ({
      mediaType,
      digest,
      size,
      platform,
    });
    const manifests = [entry(own, hostPlatform()), entry(other, riscv)];
    const index = await put('app', { mediaType: mediaTypes.ociIndex, manifests } as { mediaType: string }, 'all');
    const record = await images.images.resolve('app:all');
    assert.deepEqual([record.target, record.manifest], [index.digest, own.digest]);
    await collectContent(images);
    for (const digest of [other.digest, own.digest]) {
      assert.ok((await storage.getManifest('app', digest)) !== undefined);
    }
    assert.ok((await storage.statBlob('app', other.layer)) !== undefined);
    await removeImage(images, 'app:all');
    assert.deepEqual([...(await stored())], []);
  });

  test('refuses what says to be an image and is none, and keeps nothing under its name', async (context) => {
    const { images, storage, blob, put } = await open(context);
    const layer = await blob('app', Buffer.from('no archive'), mediaTypes.ociLayer);
    const content = { ...hostPlatform(), rootfs: { type: 'layers', diff_ids: [digestOf('something else')] } };
    const config = await blob('app', Buffer.from(JSON.stringify(content)), mediaTypes.ociConfig);
    const document = { mediaType: mediaTypes.ociManifest, config, layers: [layer] };
    await rejection(put('app', document, '1'), 'INVALID_LAYER');
    assert.deepEqual(await images.images.list(), []);
    assert.equal(await storage.getManifest('app', '1'), undefined);
    assert.equal(await storage.listTags('app').then((tags) => tags?.length ?? 0), 0);
  });

  test('gives a name to the last that was pushed under it, image or not', async (context) => {
    const { images, storage, image } = await open(context);
    const first = await image('app', 'first', hostPlatform(), '1');
    const other = await image('app', 'other', riscv, '1');
    assert.equal((await storage.getManifest('app', '1'))?.descriptor.digest, other.digest);
    assert.equal(await images.images.find(parseName('app:1')), undefined);
    const again = await image('app', 'again', hostPlatform(), '1');
    assert.equal((await storage.getManifest('app', '1'))?.descriptor.digest, again.digest);
    assert.deepEqual(await storage.listTags('app'), ['1']);
    assert.equal(await storage.getManifest('app', first.digest), undefined, 'an image without a name is gone');
  });

  test('keeps a layer that an image of another machine shares with one that is removed', async (context) => {
    const { images, storage, image, blob, put, stored } = await open(context);
    const own = await image('app', 'shared', hostPlatform());
    const content = { ...riscv, rootfs: { type: 'layers', diff_ids: [own.layer] } };
    const config = await blob('app', Buffer.from(JSON.stringify(content)), mediaTypes.ociConfig);
    const size = (await storage.statBlob('app', own.layer))?.size ?? 0;
    const layers = [{ mediaType: mediaTypes.ociLayer, digest: own.layer, size }];
    const other = await put('app', { mediaType: mediaTypes.ociManifest, config, layers } as never, 'riscv');
    await image('app', 'shared', hostPlatform(), 'own');
    await removeImage(images, 'app:own');
    for (const digest of [other.digest, config.digest, own.layer]) assert.ok((await stored()).has(digest));
    assert.ok((await storage.statBlob('app', own.layer)) !== undefined);
  });

  test('mounts blobs of its images into other repositories', async (context) => {
    const { storage, image } = await open(context);
    const { layer } = await image('app', 'one', hostPlatform(), '1');
    assert.equal(await storage.mountBlob('copy', layer, 'app'), true);
    assert.ok((await storage.statBlob('copy', layer)) !== undefined);
    assert.equal(await storage.mountBlob('copy', layer, 'nothing'), false);
  });

  test('is served until the engine closes, and removes no image that a container uses', async (context) => {
    const registry = new MemoryRegistryClient();
    addMemoryImage(registry, 'app:1', { config: { Cmd: ['exit'] } });
    const programs = { exit: async () => 0 };
    const root = await scopedDirectory(context);
    const engine = await openMemoryEngine({ root, registry, programs: programs as never });
    await engine.images.pull('app:1');
    const container = await engine.containers.create({ image: 'app:1' });
    const server = await serveRegistry({ engine });
    const remove = () => rawRequest(server.host, 'DELETE', '/v2/app/manifests/1');
    assert.equal((await remove()).status, 409);
    await container.remove();
    assert.equal((await remove()).status, 202);
    assert.deepEqual(await engine.images.list(), []);
    await engine.close();
    await assert.rejects(rawRequest(server.host, 'GET', '/v2/'), { code: 'ECONNREFUSED' });
    await server.close();
    await rejection(serveRegistry({ engine }), 'CLOSED');
  });
});

const parseName = (name: string): string => {
  const { registry, repository, tag } = parseReference(name);
  return `${registry}/${repository}:${tag}`;
};
