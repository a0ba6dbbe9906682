import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { Credential } from '#lib/registry/credential-source.js';
import type { MirrorSettings } from '#lib/registry/registry-options.js';
import {
  type FakeRegistry,
  hangUp,
  reply,
  replyBlob,
  replyError,
  startFakeRegistry,
} from '../../../helpers/fake-registry.js';
import { readAll } from '../../../helpers/read-all.js';
import { type ClientFixture, clientFixture } from '../../../helpers/registry-client-fixture.js';

interface MirrorLab extends AsyncDisposable {
  readonly f: ClientFixture;
  readonly first: FakeRegistry;
  readonly second: FakeRegistry;
}

/** A registry with two mirrors, the second of which has it below `hub/`. */
async function mirrorLab(find: (registry: string) => Credential | undefined = () => undefined): Promise<MirrorLab> {
  const [first, second] = [await startFakeRegistry(), await startFakeRegistry()];
  const mirrors: MirrorSettings[] = [
    { host: first.host, prefix: '', encrypted: undefined },
    { host: second.host, prefix: 'hub/', encrypted: undefined },
  ];
  let upstream = '';
  const f = await clientFixture({
    findHost: (registry) =>
      Promise.resolve({ mirrors: registry === upstream ? mirrors : [], http: undefined, encrypted: false }),
    credentials: { find: async (registry) => find(registry) },
  });
  upstream = f.registry.host;
  return {
    f,
    first,
    second,
    async [Symbol.asyncDispose]() {
      await f[Symbol.asyncDispose]();
      await Promise.all([first.close(), second.close()]);
    },
  };
}

const paths = (registry: FakeRegistry) => registry.seen.map(({ path }) => path);

test('mirrors are asked first, in their order, for whom they stand for; the registry itself at last', async () => {
  await using lab = await mirrorLab();
  const { f, first, second } = lab;
  const ns = `?ns=${encodeURIComponent(f.registry.host)}`;
  f.registry.script(f.manifestPath, f.sendManifest);
  await f.client.fetchManifest(f.reference);
  assert.deepEqual(paths(first), [`/v2/app/manifests/1${ns}`]);
  assert.deepEqual(paths(second), [`/v2/hub/app/manifests/1${ns}`]);
  assert.deepEqual(paths(f.registry), [f.manifestPath], 'no ns for the registry itself');

  second.script('/v2/hub/app/manifests/1', f.sendManifest);
  second.script(`/v2/hub/app/blobs/${f.blobDescriptor.digest}`, replyBlob(f.blob));
  const before = f.registry.seen.length;
  await f.client.fetchManifest(f.reference);
  const { offset, body } = await f.client.fetchBlob(f.reference, f.blobDescriptor, 1000);
  assert.deepEqual([offset, (await readAll(body)).byteLength], [1000, f.blob.byteLength - 1000]);
  assert.equal(f.registry.seen.length, before);
});

test('whatever fails at a mirror, the next one is asked', async () => {
  await using lab = await mirrorLab();
  const { f, first } = lab;
  f.registry.script(f.manifestPath, f.sendManifest);
  for (const step of [
    replyError(401, 'UNAUTHORIZED', 'no'),
    replyError(403, 'DENIED', 'no'),
    replyError(429, 'TOOMANYREQUESTS', 'no', { 'retry-after': '3600' }),
    replyError(500, 'UNKNOWN', 'no'),
    reply(200, { 'content-type': 'text/html' }, '<html>a proxy wants you to log in</html>'),
    reply(302, { location: '/somewhere' }),
  ]) {
    first.script('/v2/app/manifests/1', step);
    assert.deepEqual(Buffer.from((await f.client.fetchManifest(f.reference)).bytes), f.manifest);
  }
});

test('a mirror with a manifest of another digest is passed over', async () => {
  await using lab = await mirrorLab();
  const { f, first } = lab;
  f.registry.script(f.manifestPath, f.sendManifest);
  const { descriptor } = await f.client.fetchManifest(f.reference);
  const path = `/v2/app/manifests/${descriptor.digest}`;
  first.script(path, reply(200, { 'content-type': descriptor.mediaType }, Buffer.from(f.manifest).fill(32, 0, 1)));
  f.registry.script(path, f.sendManifest);
  assert.equal(
    (await f.client.fetchManifestByDigest(f.reference, descriptor.digest)).descriptor.digest,
    descriptor.digest,
  );
});

test('a mirror that cannot be reached is left alone for half a minute', async () => {
  await using lab = await mirrorLab();
  const { f, first } = lab;
  first.script('/v2/app/manifests/1', hangUp);
  f.registry.script(f.manifestPath, f.sendManifest);
  await f.client.fetchManifest(f.reference);
  const tried = first.seen.length;
  await f.client.fetchManifest(f.reference);
  assert.equal(first.seen.length, tried);
  f.clock.advance(31_000);
  await f.client.fetchManifest(f.reference);
  assert.ok(first.seen.length > tried);
});

test('when all fail the registry’s own failure is told, and with it why the mirrors did not do', async () => {
  await using lab = await mirrorLab();
  const { f, first } = lab;
  first.script('/v2/app/manifests/1', replyError(403, 'DENIED', 'quota'));
  await assert.rejects(f.client.fetchManifest(f.reference), (error) => {
    assert.ok(EngineError.is(error, 'IMAGE_NOT_FOUND'));
    assert.equal(error.data.registry, f.registry.host);
    assert.match(String(error.cause), /DENIED: quota/);
    return true;
  });
});

test('a mirror gets its own credential, and never that of the registry', async () => {
  let lab: MirrorLab | undefined;
  const asked: string[] = [];
  lab = await mirrorLab((registry) => {
    asked.push(registry);
    if (registry === lab?.f.registry.host) return { kind: 'basic', username: 'upstream', password: 'hunter2' };
    return registry === lab?.second.host ? { kind: 'basic', username: 'mirror', password: 'other' } : undefined;
  });
  await using held = lab;
  const { f, first, second } = held;
  const refuse = reply(401, { 'www-authenticate': 'Basic realm="x"' });
  first.script('/v2/app/manifests/1', refuse);
  second.script('/v2/hub/app/manifests/1', (request, response) =>
    (request.headers.authorization === undefined ? refuse : f.sendManifest)(request, response),
  );
  await f.client.fetchManifest(f.reference);
  const shown = [...first.seen, ...second.seen].map(({ headers }) => headers.authorization);
  assert.deepEqual(shown, [undefined, undefined, `Basic ${Buffer.from('mirror:other').toString('base64')}`]);
  assert.ok(!asked.includes(f.registry.host));
});

test('a credential that cannot be had ends the request instead of going on without', async () => {
  await using lab = await mirrorLab((registry) => {
    throw new EngineError('CREDENTIALS_FAILED', { registry, source: 'helper', reason: 'broken' });
  });
  const { f, first } = lab;
  first.script('/v2/app/manifests/1', reply(401, { 'www-authenticate': 'Basic realm="x"' }));
  f.registry.script(f.manifestPath, f.sendManifest);
  await assert.rejects(f.client.fetchManifest(f.reference), { code: 'CREDENTIALS_FAILED' });
  assert.deepEqual(paths(f.registry), []);
});

test('an abort while a mirror is asked is no reason to ask others', async () => {
  await using lab = await mirrorLab();
  const { f, first } = lab;
  const controller = new AbortController();
  const reason = new Error('enough');
  first.script('/v2/app/manifests/1', () => controller.abort(reason));
  await assert.rejects(f.client.fetchManifest(f.reference, { signal: controller.signal }), (error) => error === reason);
  assert.deepEqual(paths(f.registry), []);
});

test('what is pushed, listed or deleted goes to the registry itself', async () => {
  await using lab = await mirrorLab();
  const { f, first, second } = lab;
  f.registry.script(f.blobPath, reply(200));
  const open = async function* (): AsyncGenerator<Uint8Array, void, void> {};
  assert.deepEqual(await f.client.pushBlob(f.reference, f.blobDescriptor, open), { how: 'existed' });
  f.registry.script('/v2/app/tags/list', reply(200, {}, '{"tags":["1"]}'));
  for await (const tag of f.client.listTags(f.reference)) assert.equal(tag, '1');
  f.registry.script(f.manifestPath, reply(202));
  await f.client.deleteManifest(f.reference);
  assert.equal(first.seen.length + second.seen.length, 0);
});
