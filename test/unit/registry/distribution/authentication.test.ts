import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { limits } from '#lib/core/limits.js';
import type { CredentialSource } from '#lib/registry/credential-source.js';
import { type FakeRegistry, reply, replyBlob, replyError, type Step } from '../../../helpers/fake-registry.js';
import { readAll } from '../../../helpers/read-all.js';
import { type ClientFixture, clientFixture } from '../../../helpers/registry-client-fixture.js';

const basic: CredentialSource = {
  find: () => Promise.resolve({ kind: 'basic', username: 'me', password: 'p:ä ss' }),
};
const identity: CredentialSource = { find: () => Promise.resolve({ kind: 'identity-token', token: 'refresh-me' }) };
const basicHeader = `Basic ${Buffer.from('me:p:ä ss').toString('base64')}`;

const challenge = (f: ClientFixture, scope = ',scope="repository:app:pull"'): string =>
  `Bearer realm="${f.registry.origin}/token?keep=1",service="the, registry"${scope}`;

/** Lets only requests with one of the headers `authorized` through. */
const protect = (step: Step, challengeHeader: string, ...authorized: readonly string[]): Step => {
  const refuse = replyError(401, 'UNAUTHORIZED', 'log in', { 'www-authenticate': challengeHeader });
  return (request, response) => {
    const allowed = authorized.includes(request.headers.authorization ?? '');
    (allowed ? step : refuse)(request, response);
  };
};
const sendToken = (answer: object): Step => reply(200, {}, JSON.stringify(answer));
const tokenRequests = (registry: FakeRegistry) => registry.seen.filter(({ path }) => path.startsWith('/token'));

test('an anonymous token is fetched once for manifests and blobs of a repository', async () => {
  await using f = await clientFixture();
  f.registry.script('/token', sendToken({ token: 'T1', expires_in: 300 }));
  f.registry.script(f.manifestPath, protect(f.sendManifest, challenge(f), 'Bearer T1'));
  f.registry.script(f.blobPath, protect(replyBlob(f.blob), challenge(f), 'Bearer T1'));
  await f.client.fetchManifest(f.reference);
  const { body } = await f.client.fetchBlob(f.reference, f.blobDescriptor, 0);
  assert.equal((await readAll(body)).byteLength, f.blob.byteLength);
  const [token, ...more] = tokenRequests(f.registry);
  assert.equal(more.length, 0);
  const query = new URL(token?.path ?? '', f.registry.origin).searchParams;
  assert.deepEqual(Object.fromEntries(query), {
    keep: '1',
    service: 'the, registry',
    scope: 'repository:app:pull',
  });
  assert.equal(token?.headers.authorization, undefined);
  assert.equal(f.registry.seen.length, 4, 'refused, token, manifest, blob');
});

test('a user name and password go to the token endpoint only', async () => {
  await using f = await clientFixture({ credentials: basic });
  f.registry.script('/token', sendToken({ access_token: 'T1' }));
  f.registry.script(f.manifestPath, protect(f.sendManifest, challenge(f, ''), 'Bearer T1'));
  await f.client.fetchManifest(f.reference);
  const [refused, token, manifest] = f.registry.seen;
  assert.equal(refused?.headers.authorization, undefined);
  assert.equal(token?.headers.authorization, basicHeader);
  const query = new URL(token?.path ?? '', f.registry.origin).searchParams;
  assert.deepEqual([query.get('account'), query.get('scope')], ['me', 'repository:app:pull']);
  assert.equal(manifest?.headers.authorization, 'Bearer T1');
});

test('an identity token is exchanged by POST', async () => {
  await using f = await clientFixture({ credentials: identity });
  f.registry.script('/token', sendToken({ access_token: 'T1' }));
  f.registry.script(f.manifestPath, protect(f.sendManifest, challenge(f), 'Bearer T1'));
  await f.client.fetchManifest(f.reference);
  const [token] = tokenRequests(f.registry);
  assert.equal(token?.method, 'POST');
  assert.deepEqual(Object.fromEntries(new URLSearchParams(token?.body)), {
    grant_type: 'refresh_token',
    client_id: 'tscontainer',
    scope: 'repository:app:pull',
    service: 'the, registry',
    refresh_token: 'refresh-me',
  });
  assert.equal(token?.headers.authorization, undefined);
});

test('basic authentication is used when asked for, and remembered', async () => {
  await using f = await clientFixture({ credentials: basic });
  f.registry.script(f.manifestPath, protect(f.sendManifest, 'Basic realm="x"', basicHeader));
  await f.client.fetchManifest(f.reference);
  await f.client.fetchManifest(f.reference);
  assert.deepEqual(
    f.registry.seen.map(({ headers }) => headers.authorization),
    [undefined, basicHeader, basicHeader],
  );
});

test('a token is used until shortly before its end; without a life time that is a minute', async () => {
  await using f = await clientFixture();
  f.registry.script('/token', sendToken({ token: 'T1' }), sendToken({ token: 'T2', expires_in: 300 }));
  f.registry.script(f.manifestPath, protect(f.sendManifest, challenge(f), 'Bearer T1', 'Bearer T2'));
  await f.client.fetchManifest(f.reference);
  f.clock.advance(49_000);
  await f.client.fetchManifest(f.reference);
  assert.equal(tokenRequests(f.registry).length, 1);
  f.clock.advance(2000);
  await f.client.fetchManifest(f.reference);
  assert.equal(tokenRequests(f.registry).length, 2);
  f.clock.advance(280_000);
  await f.client.fetchManifest(f.reference);
  assert.equal(tokenRequests(f.registry).length, 2);
});

test('a remembered token that is refused is replaced once', async () => {
  await using f = await clientFixture();
  f.registry.script('/token', sendToken({ token: 'T1' }), sendToken({ token: 'T2' }));
  f.registry.script(f.manifestPath, protect(f.sendManifest, challenge(f), 'Bearer T1'));
  await f.client.fetchManifest(f.reference);
  f.registry.script(f.manifestPath, protect(f.sendManifest, challenge(f), 'Bearer T2'));
  await f.client.fetchManifest(f.reference);
  assert.equal(tokenRequests(f.registry).length, 2);

  f.registry.script(f.manifestPath, protect(f.sendManifest, challenge(f), 'Bearer never'));
  const before = f.registry.seen.length;
  await assert.rejects(f.client.fetchManifest(f.reference), (error) => {
    assert.ok(EngineError.is(error, 'REGISTRY_DENIED'));
    return error.data.status === 401 && error.data.reason === 'UNAUTHORIZED: log in';
  });
  assert.equal(f.registry.seen.length, before + 3, 'refused, token, refused');
});

test('concurrent requests share one token', async () => {
  await using f = await clientFixture();
  f.registry.script('/token', sendToken({ token: 'T1' }));
  f.registry.script(f.blobPath, protect(replyBlob(f.blob), challenge(f), 'Bearer T1'));
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      const { body } = await f.client.fetchBlob(f.reference, f.blobDescriptor, 0);
      await readAll(body);
    }),
  );
  assert.equal(tokenRequests(f.registry).length, 1);
});

test('a busy token endpoint is tried again, a refusing one is not', async () => {
  await using f = await clientFixture({ credentials: basic });
  f.registry.script('/token', replyError(503, 'X', 'busy'), sendToken({ token: 'T1' }));
  f.registry.script(f.manifestPath, protect(f.sendManifest, challenge(f), 'Bearer T1'));
  await f.client.fetchManifest(f.reference);
  f.client.close();
  f.registry.script('/token', reply(401, {}, JSON.stringify({ details: 'incorrect password' })));
  const before = tokenRequests(f.registry).length;
  await assert.rejects(f.client.fetchManifest(f.reference), (error) => {
    assert.ok(EngineError.is(error, 'REGISTRY_DENIED'));
    return error.data.reason === 'incorrect password';
  });
  assert.equal(tokenRequests(f.registry).length, before + 1);
});

test('token answers that are unusable are refused', async () => {
  await using f = await clientFixture();
  f.registry.script(f.manifestPath, protect(f.sendManifest, challenge(f), 'Bearer T1'));
  for (const body of [
    '{}',
    'no json',
    '[]',
    '{"token":""}',
    '{"token":7}',
    '{"token":"a\\r\\nx: y"}',
    '{"token":"a b"}',
  ]) {
    f.registry.script('/token', reply(200, {}, body));
    await assert.rejects(f.client.fetchManifest(f.reference), { code: 'REGISTRY_PROTOCOL' });
  }
  f.registry.script('/token', reply(200, {}, new Uint8Array(limits.tokenBytes + 1)));
  await assert.rejects(f.client.fetchManifest(f.reference), { code: 'TOO_LARGE' });
});

test('a challenge that cannot be answered is a refusal that says why', async () => {
  const reasons = [
    ['Basic realm="x"', undefined, /none is stored/],
    ['Basic realm="x"', identity, /identity token/],
    ['Negotiate', basic, /authentication by negotiate/],
    ['', basic, /no known kind/],
  ] as const;
  for (const [header, credentials, reason] of reasons) {
    await using f = await clientFixture({ credentials });
    f.registry.script(f.manifestPath, protect(f.sendManifest, header));
    await assert.rejects(f.client.fetchManifest(f.reference), (error) => {
      assert.ok(EngineError.is(error, 'REGISTRY_DENIED'));
      assert.match(error.data.reason, reason);
      return true;
    });
    assert.equal(f.registry.seen.length, 1);
  }
});

test('failing credentials stop the request instead of making it anonymous', async () => {
  const failure = new EngineError('CREDENTIALS_FAILED', { registry: 'r', source: 'helper', reason: 'broken' });
  await using f = await clientFixture({ credentials: { find: () => Promise.reject(failure) } });
  f.registry.script('/token', sendToken({ token: 'T1' }));
  f.registry.script(f.manifestPath, protect(f.sendManifest, challenge(f), 'Bearer T1'));
  await assert.rejects(f.client.fetchManifest(f.reference), (error) => error === failure);
  assert.equal(tokenRequests(f.registry).length, 0);
});
