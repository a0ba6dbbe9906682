// Who knows a digest, or has a token for something else, must not get at what another repository holds.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type RegistryAuth, serveRegistry } from 'tscontainer';
import { digestOf } from '#lib/core/digest.js';
import { rawRequest, uploadBlob } from '../helpers/raw-request.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const secret = Buffer.from('what only owner may read');
const digest = digestOf(secret);
const users = { owner: 'o', guest: 'g' };
const basic = (user: keyof typeof users): string => `Basic ${Buffer.from(`${user}:${users[user]}`).toString('base64')}`;

/** Everybody has a repository of the own name. */
const auth = (kind: RegistryAuth['kind']): RegistryAuth => ({
  kind,
  users,
  authorize: ({ user, repository }) => repository === undefined || repository === `${user}/app`,
});

async function open(kind: RegistryAuth['kind']) {
  const directory = await temporaryDirectory();
  const server = await serveRegistry({ directory: join(directory.path, 'registry'), auth: auth(kind) });
  return {
    host: server.host,
    async [Symbol.asyncDispose]() {
      await server.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

test('a digest alone opens nothing: neither from the own repository nor by a mount', async () => {
  await using lab = await open('basic');
  const { host } = lab;
  const [owner, guest] = [{ authorization: basic('owner') }, { authorization: basic('guest') }];
  assert.equal((await uploadBlob(host, 'owner/app', digest, secret, owner)).status, 201);
  assert.equal((await rawRequest(host, 'GET', `/v2/owner/app/blobs/${digest}`, guest)).status, 403);
  assert.equal((await rawRequest(host, 'GET', `/v2/guest/app/blobs/${digest}`, guest)).status, 404);
  const mount = `/v2/guest/app/blobs/uploads/?mount=${digest}&from=owner/app`;
  assert.equal((await rawRequest(host, 'POST', mount, guest)).status, 202, 'offered as an upload');
  assert.equal((await rawRequest(host, 'GET', `/v2/guest/app/blobs/${digest}`, guest)).status, 404);
  assert.equal((await rawRequest(host, 'POST', '/v2/owner/app/blobs/uploads/', guest)).status, 403);
  assert.equal((await rawRequest(host, 'DELETE', `/v2/owner/app/blobs/${digest}`, guest)).status, 403);
  const listed = JSON.parse((await rawRequest(host, 'GET', '/v2/_catalog', guest)).body).repositories;
  assert.ok(!listed.includes('owner/app'));
  assert.equal((await rawRequest(host, 'GET', `/v2/owner/app/blobs/${digest}`, owner)).body, secret.toString());
});

test('an upload is for the repository that it was begun in', async () => {
  await using lab = await open('basic');
  const { host } = lab;
  const [owner, guest] = [{ authorization: basic('owner') }, { authorization: basic('guest') }];
  const begun = await rawRequest(host, 'POST', '/v2/owner/app/blobs/uploads/', owner);
  const id = begun.headers.location?.split('/').at(-1);
  for (const method of ['GET', 'PATCH', 'DELETE']) {
    assert.equal((await rawRequest(host, method, `/v2/guest/app/blobs/uploads/${id}`, guest)).status, 404);
  }
  assert.equal((await rawRequest(host, 'GET', `/v2/owner/app/blobs/uploads/${id}`, owner)).status, 204);
});

test('a token opens what it was given for, at the server that gave it, and no other word does', async () => {
  await using lab = await open('token');
  await using other = await open('token');
  const { host } = lab;
  const tokenAt = async (at: string, user: keyof typeof users, scope: string): Promise<string> => {
    const answer = await rawRequest(at, 'GET', `/token?scope=${scope}`, { authorization: basic(user) });
    return JSON.parse(answer.body).token;
  };
  const get = (token: string) =>
    rawRequest(host, 'GET', '/v2/owner/app/manifests/1', { authorization: `Bearer ${token}` });
  const scope = 'repository:owner/app:pull,push,delete';
  const good = await tokenAt(host, 'owner', scope);
  assert.equal((await get(good)).status, 404, 'let in, and there is no such manifest');
  const [payload = '', signature = ''] = good.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const forged = Buffer.from(JSON.stringify({ ...claims, user: 'root' })).toString('base64url');
  const login = `/token?scope=${scope}&offline_token=true`;
  const refresh = JSON.parse((await rawRequest(host, 'GET', login, { authorization: basic('owner') })).body);
  const words: Record<string, string> = {
    'of a guest, who asked for the same': await tokenAt(host, 'guest', scope),
    'for another repository': await tokenAt(host, 'owner', 'repository:owner/app2:pull'),
    'of another server': await tokenAt(other.host, 'owner', scope),
    'with another content': `${forged}.${signature}`,
    'without a signature': `${payload}.`,
    'with a part of its signature': good.slice(0, -4),
    'that is none': 'null',
    'that is an identity token': refresh.refresh_token,
  };
  for (const [name, token] of Object.entries(words)) {
    const { status, headers } = await get(token);
    assert.equal(status, 401, name);
    assert.match(headers['www-authenticate'] ?? '', /^Bearer realm="http:\/\/127\.0\.0\.1:\d+\/token"/);
  }
  const exchange = (token: string) =>
    rawRequest(
      host,
      'POST',
      '/token',
      {},
      new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }).toString(),
    );
  assert.equal((await exchange(refresh.refresh_token)).status, 200);
  assert.equal((await exchange(good)).status, 401, 'an access token is no identity token');
});

test('wrong passwords and unknown users are the same to whoever tries', async () => {
  for (const kind of ['basic', 'token'] as const) {
    await using lab = await open(kind);
    const path = kind === 'basic' ? '/v2/' : '/token';
    const answers = await Promise.all(
      ['owner:x', 'nobody:x', 'nobody:', '__proto__:x', 'constructor:', ':', 'owner'].map((login) =>
        rawRequest(lab.host, 'GET', path, { authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
      ),
    );
    assert.deepEqual(new Set(answers.map(({ status, body }) => `${status} ${body}`)).size, 1);
    assert.equal(answers[0]?.status, 401);
  }
});

test('the realm in a challenge is no place for what a Host header holds', async () => {
  await using lab = await open('token');
  for (const hostHeader of ['evil"/,x="', 'a b', 'user@evil.test', '']) {
    const { status, headers } = await rawRequest(lab.host, 'GET', '/v2/', { host: hostHeader });
    if (status === 400) continue; // Node itself refuses some
    assert.match(headers['www-authenticate'] ?? '', new RegExp(`^Bearer realm="http://${lab.host}/token"`));
  }
});
