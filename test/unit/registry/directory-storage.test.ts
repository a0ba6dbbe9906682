import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MemoryContentStore } from '#lib/content/memory/memory-content-store.js';
import { digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { DirectoryStorage } from '#lib/registry/directory-storage/directory-storage.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';

const hourMs = 60 * 60 * 1000;

async function open(context: TestContext) {
  const directory = join(await scopedDirectory(context), 'repositories');
  const content = new MemoryContentStore();
  const clock = { now: Date.now() };
  const make = () =>
    new DirectoryStorage({
      directory,
      content,
      hold: (work) => work(),
      removeUnused: async (used) => {
        const kept = await used();
        for await (const { digest } of content.list()) if (!kept.has(digest)) await content.remove(digest);
      },
      now: () => clock.now,
    });
  const storage = make();
  const blob = async (repository: string, text: string) => {
    const bytes = Buffer.from(text);
    await using writer = await storage.beginBlob();
    await writer.append(bytes);
    await storage.commitBlob(repository, writer, digestOf(bytes));
    return { mediaType: mediaTypes.ociLayer, digest: digestOf(bytes), size: bytes.byteLength };
  };
  const manifest = async (repository: string, text: string, ...tags: string[]) => {
    const config = { ...(await blob(repository, `config of ${text}`)), mediaType: mediaTypes.ociConfig };
    const layers = [await blob(repository, text)];
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers }));
    const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.byteLength };
    await storage.putManifest(repository, { descriptor, bytes }, tags, {});
    return { ...descriptor, layer: digestOf(text) };
  };
  return { directory, content, storage, clock, blob, manifest, reopen: make };
}

test('what was stored is there for the next server', async (context) => {
  const { storage, manifest, reopen } = await open(context);
  const { digest } = await manifest('team/app', 'a', '1');
  await manifest('team', 'b', 'x');
  const next = reopen();
  assert.deepEqual(await next.listRepositories(), ['team', 'team/app']);
  assert.equal((await next.getManifest('team/app', '1'))?.descriptor.digest, digest);
  assert.deepEqual(await storage.listTags('team/app'), ['1']);
});

test('blobs that nothing refers to go after a day, and their bytes with the last repository', async (context) => {
  const { storage, content, blob, manifest, clock } = await open(context);
  const kept = await manifest('app', 'kept', '1');
  const { digest } = await blob('app', 'left by a push that was never finished');
  await blob('new', 'of a repository that has nothing else');
  await storage.mountBlob('other', digest, 'app');
  await storage.collectGarbage();
  assert.ok((await content.stat(digest)) !== undefined, 'its push may still be under way');
  clock.now += 25 * hourMs;
  assert.ok((await storage.statBlob('other', digest)) !== undefined, 'somebody asks for it');
  await storage.collectGarbage();
  assert.equal(await storage.statBlob('app', digest), undefined);
  assert.ok((await storage.statBlob('other', digest)) !== undefined);
  clock.now += 25 * hourMs;
  await storage.collectGarbage();
  assert.equal(await content.stat(digest), undefined);
  assert.equal(await content.stat(digestOf('of a repository that has nothing else')), undefined);
  assert.ok((await storage.statBlob('app', kept.layer)) !== undefined);
  assert.ok((await storage.getManifest('app', '1')) !== undefined);
});

test('a deleted manifest takes its blobs along a day later', async (context) => {
  const { storage, content, manifest, clock } = await open(context);
  const { digest, layer } = await manifest('app', 'a', '1', '2');
  assert.equal(await storage.deleteManifest('app', digest), true);
  assert.deepEqual(await storage.listTags('app'), []);
  clock.now += 25 * hourMs;
  await storage.collectGarbage();
  for (const each of [digest, layer]) assert.equal(await content.stat(each), undefined);
});

test('what a crash has left half-written is seen by nobody, and removed a day later', async (context) => {
  const { directory, storage, manifest, clock } = await open(context);
  await manifest('app', 'a', '1');
  const left = ['_tags/2@.99.abcdef01.tmp', '_tags/3.99.abcdef01.tmp', `_blobs/sha256-${'0'.repeat(64)}.1.ab.tmp`];
  for (const name of left) await writeFile(join(directory, 'app', name), '{"version":1,"dig');
  assert.deepEqual(await storage.listTags('app'), ['1']);
  await storage.collectGarbage();
  clock.now += 25 * hourMs;
  await storage.collectGarbage();
  const names = await readdir(join(directory, 'app'), { recursive: true });
  assert.deepEqual(
    names.filter((name) => name.endsWith('.tmp')),
    [],
  );
});
