// CVE-2020-15157, the way up: a registry names a place for the upload, to be shown credentials or plain text there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReference } from '#lib/core/reference.js';
import { DistributionRegistryClient } from '#lib/registry/distribution/distribution-registry-client.js';
import type { HttpClient, HttpRequest } from '#lib/registry/http-client.js';
import { type FakeRegistry, reply, replyError, type Step, startFakeRegistry } from '../helpers/fake-registry.js';
import { type ClientFixture, clientFixture } from '../helpers/registry-client-fixture.js';
import { rejection } from '../helpers/rejection.js';

const credentials = { find: async () => ({ kind: 'basic', username: 'me', password: 'hunter2' }) as const };
const header = `Basic ${Buffer.from('me:hunter2').toString('base64')}`;
const uploads = '/v2/app/blobs/uploads/';

const protect =
  (step: Step): Step =>
  (request, response) =>
    (request.headers.authorization === header ? step : reply(401, { 'www-authenticate': 'Basic realm="x"' }))(
      request,
      response,
    );

const push = (f: ClientFixture) =>
  f.client.pushBlob(f.reference, f.blobDescriptor, async function* (offset) {
    yield f.blob.subarray(offset);
  });

const shown = (registry: FakeRegistry) => [...new Set(registry.seen.map(({ headers }) => headers.authorization))];

test('storage at another host gets the bytes and no credential', async () => {
  await using f = await clientFixture({ credentials });
  await using storage = await startFakeRegistry();
  storage.script('/upload', reply(201));
  f.registry.script(f.blobPath, protect(replyError(404, 'BLOB_UNKNOWN', 'no')));
  f.registry.script(uploads, protect(reply(202, { location: `${storage.origin}/upload?signature=1` })));
  assert.deepEqual(await push(f), { how: 'uploaded' });
  assert.deepEqual(shown(storage), [undefined]);
  assert.equal(storage.seen.at(-1)?.body.length, f.blob.toString().length);
});

test('a challenge of that storage is not answered', async () => {
  await using f = await clientFixture({ credentials });
  await using storage = await startFakeRegistry();
  storage.script('/upload', reply(401, { 'www-authenticate': 'Basic realm="storage"' }));
  f.registry.script(f.blobPath, protect(replyError(404, 'BLOB_UNKNOWN', 'no')));
  f.registry.script(uploads, protect(reply(202, { location: `${storage.origin}/upload` })));
  await rejection(push(f), 'REGISTRY_DENIED');
  assert.deepEqual(shown(storage), [undefined]);
});

test('an upload that is redirected to another host leaves the credential behind', async () => {
  await using f = await clientFixture({ credentials });
  await using storage = await startFakeRegistry();
  storage.script('/upload', reply(201));
  f.registry.script(f.blobPath, protect(replyError(404, 'BLOB_UNKNOWN', 'no')));
  f.registry.script(uploads, protect(reply(202, { location: '/u/1' })));
  f.registry.script('/u/1', protect(reply(307, { location: `${storage.origin}/upload` })));
  assert.deepEqual(await push(f), { how: 'uploaded' });
  assert.deepEqual(shown(storage), [undefined]);

  f.registry.script('/u/1', protect(reply(302, { location: `${storage.origin}/upload` })), reply(204));
  await rejection(push(f), 'REGISTRY_PROTOCOL');
});

test('nothing is sent in the clear, nor to what is no web server', async () => {
  for (const location of [
    'http://storage.test/upload',
    'http://127.0.0.1:1/upload',
    'ftp://storage.test/upload',
    'https://user:password@storage.test/upload',
    'http://[',
  ]) {
    const asked: HttpRequest[] = [];
    const http: HttpClient = {
      request: async (request) => {
        asked.push(request);
        const status = request.method === 'HEAD' ? 404 : 202;
        const headers = new Map([['location', location]]);
        return { status, headers, body: (async function* () {})(), discard: () => undefined };
      },
      close: () => undefined,
    };
    const client = new DistributionRegistryClient({ http });
    await using f = await clientFixture();
    const reference = parseReference('secure.test/app:1');
    const open = async function* (): AsyncGenerator<Uint8Array, void, void> {
      yield f.blob;
    };
    await rejection(client.pushBlob(reference, f.blobDescriptor, open), 'REGISTRY_PROTOCOL');
    assert.deepEqual([...new Set(asked.map(({ url }) => url.origin))], ['https://secure.test']);
  }
});

test('a registry of this machine cannot lead its client to plain text elsewhere', async () => {
  await using f = await clientFixture();
  f.registry.script(f.blobPath, reply(307, { location: 'http://192.0.2.1/blob' }));
  await rejection(f.client.fetchBlob(f.reference, f.blobDescriptor, 0), 'REGISTRY_PROTOCOL');
  f.registry.script('/v2/app/tags/list', reply(200, { link: '<http://192.0.2.1/x>; rel="next"' }, '{"tags":["1"]}'));
  const list = async (): Promise<void> => {
    for await (const _ of f.client.listTags(f.reference));
  };
  await rejection(list(), 'REGISTRY_PROTOCOL');
});
