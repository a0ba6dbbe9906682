import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { HttpClient, HttpRequest, HttpResponse } from '#lib/registry/http-client.js';
import { hangUp, reply, replyBlob, type Step, startFakeRegistry } from '../../../helpers/fake-registry.js';
import { readAll } from '../../../helpers/read-all.js';
import { clientFixture } from '../../../helpers/registry-client-fixture.js';

const redirect = (location: string, status = 307): Step => reply(status, { location }, 'a body nobody wants');

test('redirects of every kind are followed, relative ones too, and keep the range', async () => {
  await using f = await clientFixture();
  f.registry.script('/storage/x', replyBlob(f.blob));
  for (const status of [301, 302, 303, 307, 308]) {
    f.registry.script(f.blobPath, redirect('/storage/x?signature=1#part', status));
    const { offset, body } = await f.client.fetchBlob(f.reference, f.blobDescriptor, 5);
    assert.equal(offset, 5);
    assert.deepEqual(await readAll(body), f.blob.subarray(5));
    assert.equal(f.registry.seen.at(-1)?.path, '/storage/x?signature=1');
    assert.equal(f.registry.seen.at(-1)?.headers.range, 'bytes=5-');
  }
});

test('a failing storage behind a redirect is tried again from the registry on', async () => {
  await using f = await clientFixture();
  await using storage = await startFakeRegistry();
  storage.script('/x', hangUp, replyBlob(f.blob));
  f.registry.script(f.blobPath, redirect(`${storage.origin}/x`));
  await readAll((await f.client.fetchBlob(f.reference, f.blobDescriptor, 0)).body);
  assert.equal(f.registry.seen.length, 2);
  assert.equal(storage.seen.length, 2);
});

test('redirects that lead nowhere, in circles or to something else than HTTP are refused', async () => {
  await using f = await clientFixture();
  const reasons = [
    [redirect(f.blobPath), /more than 5 redirects/],
    [reply(307), /without a valid target/],
    [redirect('http://['), /without a valid target/],
    [redirect('file:///etc/passwd'), /redirect to file:/],
    [redirect('http://user:secret@127.0.0.1:1/x'), /credentials in its target/],
  ] as const;
  for (const [step, reason] of reasons) {
    f.registry.script(f.blobPath, step);
    await assert.rejects(f.client.fetchBlob(f.reference, f.blobDescriptor, 0), (error) => {
      assert.ok(EngineError.is(error, 'REGISTRY_PROTOCOL'));
      assert.match(error.data.reason, reason);
      assert.ok(!error.message.includes('secret'));
      return true;
    });
  }
});

test('https is never left for http', async () => {
  const asked: string[] = [];
  const http: HttpClient = {
    request: (request: HttpRequest): Promise<HttpResponse> => {
      asked.push(request.url.href);
      const headers = new Map([['location', 'http://storage.test/x']]);
      return Promise.resolve({ status: 307, headers, body: emptyBody(), discard: () => undefined });
    },
    close: () => undefined,
  };
  await using f = await clientFixture({ http });
  const reference = { ...f.reference, registry: 'secure.test' };
  await assert.rejects(f.client.fetchBlob(reference, f.blobDescriptor, 0), (error) => {
    assert.ok(EngineError.is(error, 'REGISTRY_PROTOCOL'));
    return error.data.reason === 'a redirect from https to plain http at storage.test';
  });
  assert.deepEqual(asked, [`https://secure.test/v2/app/blobs/${f.blobDescriptor.digest}`]);
});

async function* emptyBody(): AsyncGenerator<Uint8Array, void, void> {
  // nothing to yield
}
