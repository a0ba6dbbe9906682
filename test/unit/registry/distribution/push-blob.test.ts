import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { OpenBlob, PushBlobOptions } from '#lib/registry/registry-client.js';
import { hangUp, reply, replyError, type SeenRequest, type Step } from '../../../helpers/fake-registry.js';
import { type ClientFixture, clientFixture } from '../../../helpers/registry-client-fixture.js';

const chunkBytes = 60_000;
const uploads = '/v2/app/blobs/uploads/';

const sourceOf = (bytes: Uint8Array): OpenBlob =>
  async function* (offset) {
    for (let at = offset; at < bytes.byteLength; at += 20_000) yield bytes.subarray(at, at + 20_000);
  };

const push = (f: ClientFixture, options: PushBlobOptions = {}) =>
  f.client.pushBlob(f.reference, f.blobDescriptor, sourceOf(f.blob), options);

const absent = replyError(404, 'BLOB_UNKNOWN', 'no');
const begin = (location: string, headers: Record<string, string> = {}): Step => reply(202, { location, ...headers });
const requests = (f: ClientFixture) => f.registry.seen.map(({ method, path }) => `${method} ${path.split('?')[0]}`);
const last = (f: ClientFixture): SeenRequest => {
  const seen = f.registry.seen.at(-1);
  assert.ok(seen !== undefined);
  return seen;
};

test('a blob is sent at once to the place that the registry names, whose query is kept', async () => {
  await using f = await clientFixture();
  for (const location of ['/elsewhere/1?state=a%2Fb&x=y', `${f.registry.origin}/elsewhere/1?state=a%2Fb&x=y`]) {
    f.registry.script(f.blobPath, absent);
    f.registry.script(uploads, begin(location));
    f.registry.script('/elsewhere/1', reply(201, { 'docker-content-digest': f.blobDescriptor.digest }));
    assert.deepEqual(await push(f), { how: 'uploaded' });
    const { method, path, headers } = last(f);
    assert.equal(method, 'PUT');
    assert.equal(path, `/elsewhere/1?state=a%2Fb&x=y&digest=${encodeURIComponent(f.blobDescriptor.digest)}`);
    assert.equal(headers['content-length'], String(f.blob.byteLength));
    assert.equal(headers['transfer-encoding'], undefined);
    assert.equal(headers['content-range'], undefined);
  }
});

test('what the registry has got of a cut upload is not sent again', async () => {
  await using f = await clientFixture();
  const size = f.blob.byteLength;
  f.registry.script(f.blobPath, absent);
  f.registry.script(uploads, begin('/u/1'));
  f.registry.script('/u/1', hangUp, reply(204, { location: '/u/2', range: '0-99999' }));
  f.registry.script('/u/2', reply(201));
  await push(f);
  assert.deepEqual(requests(f).slice(1), [`POST ${uploads}`, 'PUT /u/1', 'GET /u/1', 'PUT /u/2']);
  assert.equal(last(f).headers['content-range'], `100000-${size - 1}`);
  assert.equal(last(f).headers['content-length'], String(size - 100_000));
});

test('an upload that gets nowhere is tried in parts, no smaller than the registry wants them', async () => {
  await using f = await clientFixture({ chunkBytes });
  const size = f.blob.byteLength;
  for (const [min, part] of [
    ['', chunkBytes],
    ['80000', 80_000],
  ] as const) {
    f.registry.script(f.blobPath, absent);
    f.registry.script(uploads, begin('/u/1', { 'oci-chunk-min-length': min }));
    let received = 0;
    f.registry.script('/u/1', hangUp, reply(204, { location: '/u/1', range: '0-0' }), (request, response) => {
      if (request.method === 'PUT') return reply(201)(request, response);
      const [from, to] = (request.headers['content-range'] ?? '').split('-').map(Number);
      assert.equal(from, received);
      received = (to ?? 0) + 1;
      return reply(202, { location: '/u/1', range: `0-${to}` })(request, response);
    });
    await push(f);
    const patches = f.registry.seen.filter(({ method }) => method === 'PATCH').map(({ headers }) => headers);
    assert.equal(patches[0]?.['content-range'], `0-${part - 1}`);
    assert.equal(received, Math.floor((size - 1) / part) * part);
    assert.equal(last(f).headers['content-range'], `${received}-${size - 1}`);
    (f.registry.seen as SeenRequest[]).length = 0;
  }
});

test('a proxy that takes no large bodies gets parts', async () => {
  await using f = await clientFixture({ chunkBytes });
  f.registry.script(f.blobPath, absent);
  f.registry.script(uploads, begin('/u/1'));
  f.registry.script('/u/1', (request, response) => {
    const bytes = Number(request.headers['content-length']);
    if (bytes > 100_000) return reply(413, {}, 'too large')(request, response);
    if (request.method === 'PUT') return reply(201)(request, response);
    const end = (request.headers['content-range'] ?? '0-0').split('-')[1];
    return reply(request.method === 'GET' ? 204 : 202, { location: '/u/1', range: `0-${end}` })(request, response);
  });
  assert.deepEqual(await push(f), { how: 'uploaded' });
});

test('a part that the registry has not got where it was thought is found again', async () => {
  await using f = await clientFixture();
  f.registry.script(f.blobPath, absent);
  f.registry.script(uploads, begin('/u/1'));
  const lost = replyError(416, 'BLOB_UPLOAD_INVALID', 'not there');
  f.registry.script('/u/1', lost, reply(204, { location: '/u/1', range: '0-49999' }), reply(201));
  await push(f);
  assert.equal(last(f).headers['content-range'], `50000-${f.blob.byteLength - 1}`);
});

test('an upload that the registry has forgotten is begun anew, or was complete', async () => {
  await using f = await clientFixture();
  f.registry.script(f.blobPath, absent);
  f.registry.script(uploads, begin('/u/1'), begin('/u/2'));
  f.registry.script('/u/1', hangUp, replyError(404, 'BLOB_UPLOAD_UNKNOWN', 'no'));
  f.registry.script('/u/2', reply(201));
  await push(f);
  assert.equal(last(f).headers['content-range'], undefined);

  f.registry.script(f.blobPath, absent, reply(200));
  f.registry.script(uploads, begin('/u/1'));
  f.registry.script('/u/1', hangUp, replyError(404, 'BLOB_UPLOAD_UNKNOWN', 'no'));
  assert.deepEqual(await push(f), { how: 'uploaded' });
  assert.equal(last(f).method, 'HEAD');
});

test('one that fails for good, or is aborted, is cancelled', async () => {
  await using f = await clientFixture({ retries: 1 });
  f.registry.script(f.blobPath, absent);
  f.registry.script(uploads, begin('/u/1'));
  f.registry.script('/u/1', replyError(403, 'DENIED', 'no quota'), reply(204));
  await assert.rejects(push(f), { code: 'REGISTRY_DENIED' });
  assert.deepEqual(requests(f).slice(-1), ['DELETE /u/1']);

  f.registry.script('/u/1', (request, response) => {
    if (request.method === 'DELETE') reply(204)(request, response);
    else if (request.method === 'GET') reply(204, { location: '/u/1', range: '0-0' })(request, response);
    else hangUp(request, response);
  });
  await assert.rejects(push(f), { code: 'REGISTRY_UNREACHABLE' });
  assert.deepEqual(requests(f).slice(-1), ['DELETE /u/1']);
  assert.equal(f.registry.seen.filter(({ method }) => method === 'PUT').length, 3);

  const controller = new AbortController();
  const reason = new Error('enough');
  const silent: Step = (request, response) => {
    if (request.method === 'DELETE') reply(204)(request, response);
    else controller.abort(reason);
  };
  f.registry.script('/u/1', silent);
  await assert.rejects(push(f, { signal: controller.signal }), (error) => error === reason);
  assert.deepEqual(requests(f).slice(-1), ['DELETE /u/1']);
});

test('silence is no progress, and what moves is no silence', async () => {
  await using f = await clientFixture({ stallTimeoutMs: 150 });
  f.registry.script(f.blobPath, absent);
  f.registry.script(uploads, begin('/u/1'));
  f.registry.script('/u/1', reply(201));
  const slowly: OpenBlob = async function* (offset) {
    for await (const chunk of sourceOf(f.blob)(offset)) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      yield chunk;
    }
  };
  assert.deepEqual(await f.client.pushBlob(f.reference, f.blobDescriptor, slowly), { how: 'uploaded' });

  f.registry.script('/u/1', () => undefined, reply(204, { location: '/u/2', range: '0-0' }));
  f.registry.script('/u/2', reply(201));
  assert.deepEqual(await push(f), { how: 'uploaded' });
});

test('a mount that is not allowed, or not possible, is an upload', async () => {
  await using f = await clientFixture();
  const answers: readonly [string, Step][] = [
    ['offered', begin('/u/1')],
    ['denied', replyError(403, 'DENIED', 'no')],
    ['unknown', replyError(404, 'NAME_UNKNOWN', 'no')],
  ];
  for (const [name, answer] of answers) {
    f.registry.script(f.blobPath, absent);
    f.registry.script(uploads, answer, begin('/u/1'));
    f.registry.script('/u/1', reply(201));
    const before = f.registry.seen.length;
    assert.deepEqual(await push(f, { mountFrom: ['other/repo'] }), { how: 'uploaded' }, name);
    const [, mount] = f.registry.seen.slice(before);
    const query = new URL(mount?.path ?? '', f.registry.origin).searchParams;
    assert.deepEqual(Object.fromEntries(query), { mount: f.blobDescriptor.digest, from: 'other/repo' });
    const begun = f.registry.seen.slice(before).filter(({ method }) => method === 'POST').length;
    assert.equal(begun, name === 'offered' ? 1 : 2, name);
  }
});

test('a mount asks for access to both repositories', async () => {
  const scopes: string[][] = [];
  await using f = await clientFixture();
  f.registry.script('/token', (request, response) => {
    scopes.push(new URL(request.path, f.registry.origin).searchParams.getAll('scope'));
    reply(200, {}, '{"token":"T"}')(request, response);
  });
  const challenge = `Bearer realm="${f.registry.origin}/token",scope="repository:app:pull"`;
  const protect =
    (step: Step): Step =>
    (request, response) =>
      (request.headers.authorization === undefined ? reply(401, { 'www-authenticate': challenge }) : step)(
        request,
        response,
      );
  f.registry.script(f.blobPath, protect(absent));
  f.registry.script(uploads, protect(reply(201)));
  assert.deepEqual(await push(f, { mountFrom: ['other'] }), { how: 'mounted', from: 'other' });
  assert.deepEqual(scopes, [['repository:app:pull,push'], ['repository:app:pull,push', 'repository:other:pull']]);
});

test('another digest than that of the blob in the answer is told', async () => {
  await using f = await clientFixture();
  f.registry.script(f.blobPath, absent);
  f.registry.script(uploads, begin('/u/1'));
  f.registry.script('/u/1', reply(201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }), reply(204));
  await assert.rejects(push(f), { code: 'DIGEST_MISMATCH' });
  f.registry.script('/u/1', replyError(400, 'DIGEST_INVALID', 'no'), reply(204));
  await assert.rejects(push(f), (error) => EngineError.is(error, 'DIGEST_MISMATCH'));
});
