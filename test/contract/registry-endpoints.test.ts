// The endpoints of the OCI distribution-spec v1.1 by their numbers there, at the embedded registry.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type RegistryServer, serveRegistry } from 'tscontainer';
import { digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { type RawAnswer, rawRequest, uploadBlob } from '../helpers/raw-request.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const blob = randomBytes(1000);
const digest = digestOf(blob);
const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 };
const manifestOf = (more: object = {}): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: empty, layers: [], ...more });

describe('the endpoints', () => {
  let server: RegistryServer;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  before(async () => {
    directory = await temporaryDirectory();
    server = await serveRegistry({ directory: join(directory.path, 'registry') });
    for (const repository of ['app', 'tags'])
      await uploadBlob(server.host, repository, empty.digest, Buffer.from('{}'));
    await uploadBlob(server.host, 'app', digest, blob);
  });
  after(async () => {
    await server.close();
    await directory[Symbol.asyncDispose]();
  });

  const ask = (method: string, path: string, headers: Record<string, string> = {}, body: string | Uint8Array = '') =>
    rawRequest(server.host, method, path, headers, body);
  const putManifest = (path: string, body: string) =>
    ask('PUT', `/v2/${path}`, { 'content-type': mediaTypes.ociManifest }, body);
  const isError = (answer: RawAnswer, status: number, code: string): void => {
    assert.equal(answer.status, status, answer.body);
    assert.equal(answer.headers['content-type'], 'application/json');
    const { errors } = JSON.parse(answer.body);
    assert.equal(errors[0].code, code);
    assert.equal(typeof errors[0].message, 'string');
  };

  test('end-1: the base says what this is', async () => {
    for (const path of ['/v2/', '/v2']) {
      const { status, headers } = await ask('GET', path);
      assert.deepEqual([status, headers['docker-distribution-api-version']], [200, 'registry/2.0']);
    }
    isError(await ask('GET', '/v1/search'), 404, 'UNSUPPORTED');
    isError(await ask('POST', '/v2/'), 405, 'UNSUPPORTED');
  });

  test('end-2: a blob is given whole or in part, and described by HEAD', async () => {
    const path = `/v2/app/blobs/${digest}`;
    const head = await ask('HEAD', path);
    assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '1000']);
    assert.equal(head.headers['docker-content-digest'], digest);
    assert.equal(head.headers['accept-ranges'], 'bytes');
    const ranges: readonly [string, number, string | undefined][] = [
      ['bytes=0-0', 206, 'bytes 0-0/1000'],
      ['bytes=990-', 206, 'bytes 990-999/1000'],
      ['bytes=-10', 206, 'bytes 990-999/1000'],
      ['bytes=10-5000', 206, 'bytes 10-999/1000'],
      ['bytes=-5000', 206, 'bytes 0-999/1000'],
      ['bytes=1000-', 416, 'bytes */1000'],
      ['bytes=5-1', 200, undefined],
      ['bytes=0-1,5-9', 200, undefined],
      ['lines=0-1', 200, undefined],
    ];
    for (const [range, status, contentRange] of ranges) {
      const answer = await ask('GET', path, { range });
      assert.deepEqual([answer.status, answer.headers['content-range']], [status, contentRange], range);
      if (status === 206) {
        const [from = 0, to = 0] = (/(\d+)-(\d+)/.exec(contentRange ?? '') ?? []).slice(1).map(Number);
        assert.equal(answer.headers['content-length'], String(to - from + 1));
      }
    }
    isError(await ask('GET', `/v2/app/blobs/${digestOf('nothing')}`), 404, 'BLOB_UNKNOWN');
    isError(await ask('GET', '/v2/app/blobs/sha256:123'), 400, 'DIGEST_INVALID');
  });

  test('end-3, end-7: a manifest comes back as it was put, by tag and by digest, and with tags beside its digest', async () => {
    const body = `${manifestOf({ annotations: { a: 'ä' } })}\n  `;
    const put = await putManifest('app/manifests/v1', body);
    assert.deepEqual([put.status, put.headers['docker-content-digest']], [201, digestOf(body)]);
    for (const reference of ['v1', digestOf(body)]) {
      const got = await ask('GET', `/v2/app/manifests/${reference}`);
      assert.deepEqual([got.status, got.body, got.headers['content-type']], [200, body, mediaTypes.ociManifest]);
      const head = await ask('HEAD', `/v2/app/manifests/${reference}`);
      assert.deepEqual([head.status, head.headers['content-length']], [200, String(Buffer.byteLength(body))]);
    }
    const tagged = await putManifest(`app/manifests/${digestOf(body)}?tag=a&tag=b`, body);
    assert.equal(tagged.headers['oci-tag'], 'a, b');
    assert.equal((await ask('GET', '/v2/app/manifests/b')).status, 200);
    isError(await putManifest(`app/manifests/${digestOf('other')}`, body), 400, 'DIGEST_INVALID');
    isError(await putManifest('app/manifests/x', '{}'), 400, 'MANIFEST_INVALID');
    isError(
      await putManifest('app/manifests/x', manifestOf({ layers: [{ ...empty, digest: digestOf('no') }] })),
      400,
      'MANIFEST_BLOB_UNKNOWN',
    );
    isError(await putManifest('app/manifests/x', ' '.repeat(4 * 1024 * 1024 + 1)), 413, 'SIZE_INVALID');
    isError(await ask('GET', '/v2/app/manifests/none'), 404, 'MANIFEST_UNKNOWN');
    const sha512 = `sha512:${createHash('sha512').update(body).digest('hex')}`;
    assert.equal((await putManifest(`app/manifests/${sha512}`, body)).status, 201);
    assert.equal((await ask('GET', `/v2/app/manifests/${sha512}`)).headers['docker-content-digest'], sha512);
  });

  test('end-4, end-6: a blob is taken at once, by one request or two; a wrong digest takes nothing', async () => {
    for (const [index, name] of ['POST', 'POST and PUT', 'POST and PUT of sha512'].entries()) {
      const bytes = randomBytes(500);
      const sha512 = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
      const wanted = index === 2 ? sha512 : digestOf(bytes);
      const query = index === 0 ? `?digest=${wanted}` : index === 2 ? '?digest-algorithm=sha512' : '';
      const first = await ask('POST', `/v2/app/blobs/uploads/${query}`, {}, index === 0 ? bytes : '');
      assert.equal(first.status, index === 0 ? 201 : 202, name);
      const last = index === 0 ? first : await ask('PUT', `${first.headers.location}?digest=${wanted}`, {}, bytes);
      assert.deepEqual([last.status, last.headers.location], [201, `/v2/app/blobs/${wanted}`], name);
      assert.equal((await ask('GET', `/v2/app/blobs/${wanted}`)).status, 200);
    }
    const { headers } = await ask('POST', '/v2/app/blobs/uploads/');
    isError(await ask('PUT', `${headers.location}?digest=${digestOf('x')}`, {}, 'y'), 400, 'DIGEST_INVALID');
    isError(await ask('PUT', `${headers.location}?digest=${digestOf('y')}`), 404, 'BLOB_UPLOAD_UNKNOWN');
    isError(await ask('POST', '/v2/app/blobs/uploads/?digest-algorithm=md5'), 400, 'DIGEST_INVALID');
  });

  test('end-5, end-13: parts come in order, and the status says how far they are', async () => {
    const bytes = randomBytes(300);
    let { location = '' } = (await ask('POST', '/v2/app/blobs/uploads/')).headers;
    const patch = (range: string, part: Uint8Array) => ask('PATCH', location, { 'content-range': range }, part);
    isError(await patch('100-199', bytes.subarray(100, 200)), 416, 'BLOB_UPLOAD_INVALID');
    const first = await patch('0-99', bytes.subarray(0, 100));
    assert.deepEqual([first.status, first.headers.range], [202, '0-99']);
    location = first.headers.location ?? '';
    for (const range of ['0-99', '50-149', '100-198', 'x', '100-']) {
      const refused = await patch(range, bytes.subarray(100, 200));
      isError(refused, 416, 'BLOB_UPLOAD_INVALID');
      assert.equal(refused.headers.range, '0-99');
    }
    const streamed = await ask('PATCH', location, { 'transfer-encoding': 'chunked' }, bytes.subarray(100, 200));
    assert.deepEqual([streamed.status, streamed.headers.range], [202, '0-199']);
    const status = await ask('GET', location);
    assert.deepEqual([status.status, status.headers.range], [204, '0-199']);
    const end = `${status.headers.location}?digest=${digestOf(bytes)}`;
    isError(await ask('PUT', end, { 'content-range': '150-299' }, bytes.subarray(150)), 416, 'BLOB_UPLOAD_INVALID');
    assert.equal((await ask('PUT', end, { 'content-range': '200-299' }, bytes.subarray(200))).status, 201);
  });

  test('end-8: tags are listed in order, in pages', async () => {
    for (const tag of ['b', 'a', 'C', '1']) await putManifest(`tags/manifests/${tag}`, manifestOf());
    const list = async (query: string) => {
      const { headers, body } = await ask('GET', `/v2/tags/tags/list${query}`);
      return { tags: JSON.parse(body).tags, link: headers.link };
    };
    assert.deepEqual(await list(''), { tags: ['1', 'C', 'a', 'b'], link: undefined });
    const page = await list('?n=2');
    assert.deepEqual(page, { tags: ['1', 'C'], link: '</v2/tags/tags/list?n=2&last=C>; rel="next"' });
    assert.deepEqual(await list('?n=2&last=C'), { tags: ['a', 'b'], link: undefined });
    assert.deepEqual(await list('?last=a'), { tags: ['b'], link: undefined });
    assert.deepEqual(await list('?n=0'), { tags: [], link: undefined });
    isError(await ask('GET', '/v2/tags/tags/list?n=x'), 400, 'UNSUPPORTED');
    isError(await ask('GET', '/v2/nothing/tags/list'), 404, 'NAME_UNKNOWN');
    const catalog = await ask('GET', '/v2/_catalog?n=1');
    assert.deepEqual(JSON.parse(catalog.body), { repositories: ['app'] });
    assert.match(String(catalog.headers.link), /^<\/v2\/_catalog\?n=1&last=app>/);
  });

  test('end-9, end-10, end-14: tags, manifests, blobs and uploads are deleted, once', async () => {
    const body = manifestOf({ annotations: { for: 'deletion' } });
    await putManifest('app/manifests/x', body);
    await putManifest('app/manifests/y', body);
    const bytes = randomBytes(10);
    await uploadBlob(server.host, 'app', digestOf(bytes), bytes);
    const upload = (await ask('POST', '/v2/app/blobs/uploads/')).headers.location ?? '';
    for (const [path, status] of [
      ['/v2/app/manifests/x', 202],
      [`/v2/app/manifests/${digestOf(body)}`, 202],
      [`/v2/app/blobs/${digestOf(bytes)}`, 202],
      [upload, 204],
    ] as const) {
      assert.equal((await ask('DELETE', path)).status, status, path);
      assert.equal((await ask('DELETE', path)).status, 404, path);
      assert.equal((await ask('GET', path)).status, 404, path);
    }
    assert.equal((await ask('GET', '/v2/app/manifests/y')).status, 404, 'a tag goes with its manifest');
  });

  test('end-11: a blob is mounted, or else an upload is begun', async () => {
    const mounted = await ask('POST', `/v2/mounted/blobs/uploads/?mount=${digest}&from=app`);
    assert.deepEqual([mounted.status, mounted.headers.location], [201, `/v2/mounted/blobs/${digest}`]);
    assert.equal((await ask('HEAD', `/v2/mounted/blobs/${digest}`)).status, 200);
    for (const query of [`mount=${digest}&from=none`, `mount=${digest}`, `mount=${digestOf('none')}&from=app`]) {
      const begun = await ask('POST', `/v2/other/blobs/uploads/?${query}`);
      assert.equal(begun.status, 202);
      assert.match(begun.headers.location ?? '', /^\/v2\/other\/blobs\/uploads\/[0-9a-f-]{36}$/);
    }
  });

  test('end-12: referrers are listed with type and annotations, and filtered', async () => {
    const subject = { mediaType: mediaTypes.ociManifest, digest: digestOf('not there yet'), size: 7 };
    const put = async (more: object) => {
      const body = manifestOf({ subject, ...more });
      const answer = await putManifest(`app/manifests/${digestOf(body)}`, body);
      assert.equal(answer.headers['oci-subject'], subject.digest);
      return { mediaType: mediaTypes.ociManifest, digest: digestOf(body), size: Buffer.byteLength(body) };
    };
    const path = `/v2/app/referrers/${subject.digest}`;
    const none = await ask('GET', path);
    assert.deepEqual([none.status, none.headers['content-type']], [200, mediaTypes.ociIndex]);
    assert.deepEqual(JSON.parse(none.body).manifests, []);
    const signature = { ...(await put({ artifactType: 'x/sig' })), artifactType: 'x/sig' };
    const plain = {
      ...(await put({ annotations: { a: 'b' } })),
      artifactType: empty.mediaType,
      annotations: { a: 'b' },
    };
    const all = JSON.parse((await ask('GET', path)).body).manifests;
    assert.deepEqual(
      all,
      [signature, plain].sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    );
    const filtered = await ask('GET', `${path}?artifactType=x%2Fsig`);
    assert.deepEqual(JSON.parse(filtered.body).manifests, [signature]);
    assert.equal(filtered.headers['oci-filters-applied'], 'artifactType');
    assert.equal((await ask('DELETE', `/v2/app/manifests/${plain.digest}`)).status, 202);
    assert.deepEqual(JSON.parse((await ask('GET', path)).body).manifests, [signature]);
    isError(await ask('GET', '/v2/app/referrers/sha256:1'), 400, 'DIGEST_INVALID');
  });

  test('a read-only server reads', async () => {
    await using reading = await serveRegistry({ directory: join(directory.path, 'registry'), readonly: true });
    const { host } = reading;
    assert.equal((await rawRequest(host, 'GET', `/v2/app/blobs/${digest}`)).status, 200);
    for (const [method, path] of [
      ['POST', '/v2/app/blobs/uploads/'],
      ['PUT', '/v2/app/manifests/x'],
      ['DELETE', `/v2/app/blobs/${digest}`],
    ] as const) {
      isError(await rawRequest(host, method, path, {}, method === 'PUT' ? manifestOf() : ''), 405, 'UNSUPPORTED');
    }
  });
});

test('an address that is taken, and options that mean nothing, are told', async () => {
  await using directory = await temporaryDirectory();
  await using first = await serveRegistry({ directory: directory.path });
  await assert.rejects(serveRegistry({ directory: directory.path, port: first.port }), (error: unknown) => {
    const { code, data } = error as { code: string; data: { errno: string; operand: string } };
    assert.deepEqual([code, data.errno, data.operand], ['SYSTEM_CALL_FAILED', 'EADDRINUSE', `127.0.0.1:${first.port}`]);
    return true;
  });
  for (const options of [
    {},
    { directory: '' },
    { directory: 'x', port: 70_000 },
    { directory: 'x', uploadExpiryMs: 0 },
    { directory: 'x', auth: { kind: 'digest', users: {} } },
    { directory: 'x', tls: { cert: 'no certificate', key: 'no key' } },
  ]) {
    await assert.rejects(serveRegistry(options as never), { code: 'INVALID_OPTION' });
  }
});
