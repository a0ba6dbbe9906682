import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { LoadProgress } from 'tscontainer';
import { digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { parseReference } from '#lib/core/reference.js';
import { tarMembers } from '#lib/image/archive/tar-members.js';
import { addBuiltImage } from '../../helpers/built-image.js';
import { imageArchive } from '../../helpers/image-archive.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';
import { tarOf } from '../../helpers/tar-builder.js';

async function* streamOf(bytes: Uint8Array, chunkBytes = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

async function membersOf(bytes: Uint8Array): Promise<Map<string, string>> {
  const members = new Map<string, string>();
  for await (const { path, content } of tarMembers(streamOf(bytes))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    members.set(path, Buffer.concat(chunks).toString());
  }
  return members;
}

test('an archive is read byte by byte, too, and progress is told', async (context) => {
  const { engine } = await openMemoryLab(context);
  const { id, docker, layer } = imageArchive('app:1');
  const seen: LoadProgress[] = [];
  const archive = tarOf(...docker);
  const [image] = await engine.images.load(streamOf(archive, 1), { onProgress: (each) => seen.push(each) });
  assert.deepEqual([image?.id, image?.names], [id, ['app:1']]);
  assert.deepEqual(
    seen.filter(({ type }) => type !== 'receiving'),
    [
      { type: 'received', totalBytes: archive.length },
      { type: 'unpacked', diffId: digestOf(layer), index: 0, layerCount: 1 },
      { type: 'loaded', id, names: ['docker.io/library/app:1'] },
    ],
  );
  await engine.containers.create({ image: 'app:1' });
});

test('what has no name in the archive stays without, or gets the one that was asked for', async (context) => {
  const { engine } = await openMemoryLab(context);
  const { docker, id } = imageArchive('app:1');
  const members = docker.map((member) =>
    member.name === 'manifest.json'
      ? { ...member, content: String(member.content).replace('["app:1"]', 'null') }
      : member,
  );
  const [nameless] = await engine.images.load(streamOf(tarOf(...members)));
  assert.deepEqual([nameless?.id, nameless?.names, nameless?.name], [id, [], id]);
  const [named] = await engine.images.load(streamOf(tarOf(...members)), { name: 'given' });
  assert.deepEqual([named?.id, named?.names], [id, ['given:latest']]);
  assert.equal((await engine.images.list()).length, 1);
  const refused = engine.images.load(streamOf(tarOf(...docker)), { name: 'given' });
  assert.equal((await rejection(refused, 'INVALID_OPTION')).data.option, 'name');
});

test('an image that is loaded takes a name from another, which stays without', async (context) => {
  const { engine, registry } = await openMemoryLab(context);
  const old = addBuiltImage(registry, 'app:1', { created: '2024-01-01T00:00:00Z' });
  await engine.images.pull('app:1');
  const [image] = await engine.images.load(streamOf(gzipSync(tarOf(...imageArchive('app:1').oci))));
  assert.deepEqual(image?.names, ['app:1']);
  assert.deepEqual((await engine.images.get(old)).names, []);
});

test('an abort ends a load that hangs', async (context) => {
  const { engine, content } = await openMemoryLab(context);
  const controller = new AbortController();
  const reason = new Error('enough');
  const pipe = new PassThrough();
  pipe.write(tarOf(...imageArchive('app:1').docker).subarray(0, 2000));
  const loading = engine.images.load(pipe, { signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await assert.rejects(loading, (error) => error === reason);
  for await (const { digest } of content.list()) assert.fail(`${digest} is left`);
});

test('bytes are wanted, not text', async (context) => {
  const { engine } = await openMemoryLab(context);
  for (const read of ['load', 'import'] as const) {
    const pipe = new PassThrough({ encoding: 'utf8' });
    pipe.end('text');
    const { data } = await rejection(engine.images[read](pipe), 'INVALID_OPTION');
    assert.deepEqual([data.option, data.got], ['source', 'string']);
    await rejection(engine.images[read]({} as never), 'INVALID_OPTION');
  }
});

test('a saved archive has the documents of both kinds, depends on the images only, and is an archive for tar', async (context) => {
  const { engine, registry } = await openMemoryLab(context);
  const directory = await scopedDirectory(context);
  const id = addBuiltImage(registry, 'app:1', { created: '2024-01-01T00:00:00Z' });
  await engine.images.pull('app:1');
  await engine.images.tag('app:1', 'quay.io/team/app:2');
  const paths = ['a.tar', 'b.tar'].map((name) => join(directory, name));
  for (const path of paths) await engine.images.save(id, path);
  const [one, two] = await Promise.all(paths.map((path) => readFile(path)));
  assert.ok(one !== undefined && two !== undefined && one.equals(two));
  const members = await membersOf(one);
  const read = (name: string) => JSON.parse(members.get(name) ?? '');
  const names = ['docker.io/library/app:1', 'quay.io/team/app:2'];
  const [entry] = read('manifest.json');
  assert.deepEqual([entry.RepoTags, entry.Config], [names, `blobs/sha256/${id.slice(7)}`]);
  for (const path of [entry.Config, ...entry.Layers]) assert.ok(members.has(path), path);
  assert.deepEqual(read('repositories'), {
    'docker.io/library/app': { 1: id.slice(7) },
    'quay.io/team/app': { 2: id.slice(7) },
  });
  const index = read('index.json') as { manifests: { annotations: Record<string, string> }[] };
  assert.deepEqual(
    index.manifests.map(({ annotations }) => annotations['org.opencontainers.image.ref.name']),
    names,
  );
  await engine.images.save('app:1', paths[0] ?? '', { format: 'oci-archive' });
  const oci = await membersOf(await readFile(paths[0] ?? ''));
  assert.ok(oci.has('index.json') && !oci.has('manifest.json') && !oci.has('repositories'));
  assert.deepEqual((await readdir(directory)).sort(), ['a.tar', 'b.tar'], 'nothing else is left');
});

test('what has Docker’s media types is saved with those of OCI', async (context) => {
  const { engine, registry } = await openMemoryLab(context);
  const name = parseReference('docker:1');
  const layer = gzipSync(tarOf({ name: 'f', content: 'x' }));
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      config: {},
      rootfs: { type: 'layers', diff_ids: [digestOf(tarOf({ name: 'f', content: 'x' }))] },
    }),
  );
  registry.addManifest(name, {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: registry.addBlob(name, config, mediaTypes.dockerConfig),
    layers: [registry.addBlob(name, layer, mediaTypes.dockerLayerGzip)],
  });
  await engine.images.pull('docker:1');
  const path = join(await scopedDirectory(context), 'a.tar');
  await engine.images.save('docker:1', path);
  const members = await membersOf(await readFile(path));
  const [descriptor] = JSON.parse(members.get('index.json') ?? '').manifests;
  const manifest = JSON.parse(members.get(`blobs/sha256/${descriptor.digest.slice(7)}`) ?? '');
  assert.deepEqual(
    [descriptor.mediaType, manifest.mediaType, manifest.config.mediaType, manifest.layers[0].mediaType],
    [mediaTypes.ociManifest, mediaTypes.ociManifest, mediaTypes.ociConfig, mediaTypes.ociLayerGzip],
  );
  const { engine: other } = await openMemoryLab(context);
  const [image] = await other.images.load(path);
  assert.deepEqual([image?.id, image?.names], [digestOf(config), ['docker:1']]);
});

test('a save that fails or is aborted leaves no file, and what cannot be saved is named', async (context) => {
  const { engine, registry } = await openMemoryLab(context);
  const directory = await scopedDirectory(context);
  addBuiltImage(registry, 'app:1', {});
  await engine.images.pull('app:1');
  const path = join(directory, 'a.tar');
  await writeFile(path, 'older');
  assert.equal((await rejection(engine.images.save('missing', path), 'NO_SUCH_IMAGE')).data.reference, 'missing');
  const reason = new Error('enough');
  await assert.rejects(
    engine.images.save('app:1', path, { signal: AbortSignal.abort(reason) }),
    (error) => error === reason,
  );
  assert.equal(await readFile(path, 'utf8'), 'older');
  const full = new Writable({ write: (_chunk, _encoding, done) => done(new Error('full')) });
  await assert.rejects(engine.images.save('app:1', full), /full/);
  const nowhere = join(directory, 'no/such/a.tar');
  assert.equal((await rejection(engine.images.save('app:1', nowhere), 'SYSTEM_CALL_FAILED')).data.errno, 'ENOENT');
  assert.equal((await rejection(engine.images.save([], path), 'INVALID_OPTION')).data.option, 'names');
  const toStream = engine.images.save('app:1', new PassThrough(), { format: 'oci-layout' });
  assert.equal((await rejection(toStream, 'INVALID_OPTION')).data.option, 'target');
  assert.deepEqual(await readdir(directory), ['a.tar']);
});
