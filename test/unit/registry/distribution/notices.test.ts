import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { pullImage } from '#lib/image/pull-image.js';
import type { PullProgress } from '#lib/image/pull-progress.js';
import { noticesOf } from '#lib/registry/distribution/parse-notices.js';
import { memoryServices } from '#lib/testing/memory-engine.js';
import { reply, replyBlob, replyError, type Step } from '../../../helpers/fake-registry.js';
import { publishImage } from '../../../helpers/publish-image.js';
import { clientFixture } from '../../../helpers/registry-client-fixture.js';
import { scopedDirectory } from '../../../helpers/scoped-directory.js';
import { tarOf } from '../../../helpers/tar-builder.js';

const notices = (headers: Record<string, string>) => noticesOf(new Map(Object.entries(headers)), 'r.test');

test('warnings are those of the specification, without what moves a cursor, each once', () => {
  const warning = (text: string) => ({ type: 'warning', registry: 'r.test', text });
  assert.deepEqual(notices({ warning: '299 - "soon gone"' }), [warning('soon gone')]);
  assert.deepEqual(notices({ warning: '299 - "a, \\"b\\"", 299 - "c", 299 - "c"' }), [warning('a, "b"'), warning('c')]);
  assert.deepEqual(notices({ warning: '299 - "a\u001b[31m\u202eb"' }), [warning('a [31m b')]);
  assert.deepEqual(notices({ warning: '110 - "stale", 299 proxy "x", 299 - ""' }), []);
  assert.ok(JSON.stringify(notices({ warning: `299 - "${'x'.repeat(10_000)}"` })).length < 5000);
});

test('the limits of a rate are numbers, where they are said', () => {
  const headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' };
  const rate = { type: 'rate-limit', registry: 'r.test', limit: 100, remaining: 76, windowSeconds: 21_600 };
  assert.deepEqual(notices(headers), [rate]);
  assert.deepEqual(notices({ 'ratelimit-remaining': '0' }), [
    { type: 'rate-limit', registry: 'r.test', limit: undefined, remaining: 0, windowSeconds: undefined },
  ]);
  assert.deepEqual(notices({ 'ratelimit-limit': 'many' }), []);
});

test('a pull tells once what its registry says beside the answers', async (context) => {
  await using f = await clientFixture();
  const reference = publishImage(f.registry, 'app', { layers: [tarOf({ name: 'a', content: 'a' })] });
  const spoken =
    (step: Step): Step =>
    (request, response) => {
      response.setHeader('warning', '299 - "this image is deprecated"');
      response.setHeader('ratelimit-limit', '100;w=60');
      response.setHeader('ratelimit-remaining', '7;w=60');
      step(request, response);
    };
  const path = '/v2/app/manifests/1';
  const { bytes, descriptor } = await f.client.fetchManifest({ ...f.reference, repository: 'app' });
  f.registry.script(path, spoken(reply(200, { 'content-type': descriptor.mediaType }, bytes)));
  const { images } = memoryServices({ root: await scopedDirectory(context), registry: f.client });
  const seen: PullProgress[] = [];
  for (let round = 0; round < 2; round += 1) {
    await pullImage(images, reference, { onProgress: (progress) => seen.push(progress) });
  }
  const told = seen.filter(({ type }) => type === 'warning' || type === 'rate-limit');
  const { host } = f.registry;
  const each = [
    { type: 'warning', registry: host, text: 'this image is deprecated' },
    { type: 'rate-limit', registry: host, limit: 100, remaining: 7, windowSeconds: 60 },
  ];
  assert.deepEqual(told, [...each, ...each]);
});

test('who is over the limit learns what it is and when to come back', async () => {
  await using f = await clientFixture();
  const headers = { 'retry-after': '3600', 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' };
  f.registry.script(f.manifestPath, replyError(429, 'TOOMANYREQUESTS', 'slow', headers));
  await assert.rejects(f.client.fetchManifest(f.reference), (error) => {
    assert.ok(EngineError.is(error, 'REGISTRY_RATE_LIMITED'));
    assert.deepEqual(error.data, {
      registry: f.registry.host,
      retryAfterMs: 3_600_000,
      limit: 100,
      remaining: 0,
    });
    return true;
  });
});

test('a pull goes on after a stall where it was, without asking for what it has', async (context) => {
  await using f = await clientFixture({ stallTimeoutMs: 100 });
  const layer = tarOf({ name: 'a', content: 'a'.repeat(300_000) });
  let path = '';
  const reference = publishImage(f.registry, 'app', {
    layers: [layer],
    changeManifest: (manifest) => {
      path = `/v2/app/blobs/${(manifest as { layers: { digest: string }[] }).layers[0]?.digest}`;
      return manifest;
    },
  });
  const stall: Step = (_request, response) => {
    response.writeHead(200, { 'content-length': String(layer.byteLength) });
    response.write(layer.subarray(0, 100_000));
  };
  f.registry.script(path, stall, replyBlob(layer));
  const { images } = memoryServices({ root: await scopedDirectory(context), registry: f.client });
  await pullImage(images, reference);
  const ranges = f.registry.seen.filter((seen) => seen.path === path).map(({ headers }) => headers.range);
  assert.deepEqual(ranges, [undefined, 'bytes=100000-']);
});
