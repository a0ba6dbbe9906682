import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { parseReference } from '#lib/core/reference.js';
import { DistributionRegistryClient } from '#lib/registry/distribution/distribution-registry-client.js';
import type { HttpClient } from '#lib/registry/http-client.js';
import { cutAfter, hangUp, replyError, stallAfter } from '../../../helpers/fake-registry.js';
import { manualClock } from '../../../helpers/manual-clock.js';
import { readAll } from '../../../helpers/read-all.js';
import { clientFixture } from '../../../helpers/registry-client-fixture.js';

test('what may pass is tried again with growing pauses', async () => {
  await using f = await clientFixture();
  const busy = replyError(503, 'UNAVAILABLE', 'busy');
  f.registry.script(f.manifestPath, busy, hangUp, cutAfter(f.manifest, 10), busy, f.sendManifest);
  assert.deepEqual(Buffer.from((await f.client.fetchManifest(f.reference)).bytes), f.manifest);
  assert.equal(f.registry.seen.length, 5);
  assert.deepEqual(f.clock.pausesMs, [200, 400, 800, 1600]);
});

test('pauses are of random length, down to half', async () => {
  const clock = manualClock(0);
  await using f = await clientFixture({ clock });
  f.registry.script(f.manifestPath, hangUp, hangUp, f.sendManifest);
  await f.client.fetchManifest(f.reference);
  assert.deepEqual(clock.pausesMs, [100, 200]);
});

test('it is given up after the last retry, with the last failure', async () => {
  await using f = await clientFixture({ retries: 2 });
  f.registry.script(f.manifestPath, replyError(500, 'X', 'first'), hangUp, replyError(502, 'X', 'last'));
  await assert.rejects(f.client.fetchManifest(f.reference), (error) => {
    assert.ok(EngineError.is(error, 'REGISTRY_FAILED'));
    return error.data.status === 502 && error.data.reason === 'X: last';
  });
  assert.equal(f.registry.seen.length, 3);
});

test('what will not pass is not tried again', async () => {
  await using f = await clientFixture();
  for (const status of [400, 403, 404, 405, 501]) {
    const before = f.registry.seen.length;
    f.registry.script(f.manifestPath, replyError(status, 'X', 'no'));
    await assert.rejects(f.client.fetchManifest(f.reference));
    assert.equal(f.registry.seen.length, before + 1);
  }
  const unknownHost: HttpClient = {
    request: () => Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })),
    close: () => undefined,
  };
  const clock = manualClock();
  const client = new DistributionRegistryClient({ http: unknownHost, clock });
  await assert.rejects(client.fetchManifest(parseReference('nowhere.test/a')), (error) => {
    assert.ok(EngineError.is(error, 'REGISTRY_UNREACHABLE'));
    return error.data.registry === 'nowhere.test' && error.data.reason.includes('ENOTFOUND');
  });
  assert.deepEqual(clock.pausesMs, []);
});

test('the wait that a registry asks for is kept, in seconds or as a date', async () => {
  await using f = await clientFixture();
  const date = new Date(f.clock.now() + 7000 + 9000).toUTCString();
  const limited = (retryAfter: string) => replyError(429, 'TOOMANYREQUESTS', 'slow', { 'retry-after': retryAfter });
  f.registry.script(f.manifestPath, limited('7'), limited(date), f.sendManifest);
  await f.client.fetchManifest(f.reference);
  assert.deepEqual(f.clock.pausesMs, [7000, 9000]);
});

test('a wait that is too long is told instead of waited for', async () => {
  await using f = await clientFixture();
  f.registry.script(f.manifestPath, replyError(429, 'TOOMANYREQUESTS', 'slow', { 'retry-after': '3600' }));
  await assert.rejects(f.client.fetchManifest(f.reference), (error) => {
    assert.ok(EngineError.is(error, 'REGISTRY_RATE_LIMITED'));
    return error.data.retryAfterMs === 3_600_000;
  });
  assert.deepEqual(f.clock.pausesMs, []);
});

test('an abort during a pause ends it with the reason', async () => {
  const controller = new AbortController();
  const clock = manualClock();
  const reason = new Error('enough');
  await using f = await clientFixture({
    clock: {
      ...clock,
      delay: (milliseconds, signal) => {
        controller.abort(reason);
        return clock.delay(milliseconds, signal);
      },
    },
  });
  f.registry.script(f.manifestPath, hangUp);
  await assert.rejects(f.client.fetchManifest(f.reference, { signal: controller.signal }), (error) => error === reason);
  assert.equal(f.registry.seen.length, 1);
});

test('silence is a failure that may pass, in headers and in bodies', async () => {
  await using f = await clientFixture({ stallTimeoutMs: 50 });
  f.registry.script(f.manifestPath, () => undefined, stallAfter(f.manifest.subarray(0, 10)), f.sendManifest);
  await f.client.fetchManifest(f.reference);
  assert.equal(f.registry.seen.length, 3);

  f.registry.script(f.blobPath, stallAfter(f.blob.subarray(0, 1000)));
  const { body } = await f.client.fetchBlob(f.reference, f.blobDescriptor, 0);
  await assert.rejects(readAll(body), (error) => {
    assert.ok(EngineError.is(error, 'REGISTRY_UNREACHABLE'));
    return error.data.reason === 'no data for 50 ms';
  });
});

test('an abort during a body ends it with the reason and leaves no listener', async () => {
  await using f = await clientFixture();
  f.registry.script(f.blobPath, stallAfter(f.blob.subarray(0, 1000)));
  const controller = new AbortController();
  const counted = countListeners(controller.signal);
  const { body } = await f.client.fetchBlob(f.reference, f.blobDescriptor, 0, { signal: controller.signal });
  const reason = new Error('enough');
  const iterator = body[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).value.byteLength, 1000);
  controller.abort(reason);
  await assert.rejects(iterator.next(), (error) => error === reason);
  assert.equal(counted(), 0);
});

/** How many abort listeners have been added and not been removed; one that has fired counts as removed. */
function countListeners(signal: AbortSignal): () => number {
  const listeners = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners.add(args[1]);
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners.delete(args[1]);
    remove(...args);
  };
  return () => listeners.size;
}
