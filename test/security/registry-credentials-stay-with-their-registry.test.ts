// CVE-2020-15157 and relatives: a registry, its storage or its token endpoint makes the client send secrets elsewhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { parseReference } from '#lib/core/reference.js';
import { DistributionRegistryClient } from '#lib/registry/distribution/distribution-registry-client.js';
import type { HttpClient, HttpRequest } from '#lib/registry/http-client.js';
import { StaticCredentialSource } from '#lib/registry/memory/static-credential-source.js';
import { reply, replyBlob, replyError, type Step, startFakeRegistry } from '../helpers/fake-registry.js';
import { readAll } from '../helpers/read-all.js';
import { clientFixture } from '../helpers/registry-client-fixture.js';

const credential = { kind: 'basic', username: 'me', password: 'hunter2hunter2' } as const;
const basicHeader = `Basic ${Buffer.from('me:hunter2hunter2').toString('base64')}`;
const credentials = { find: () => Promise.resolve(credential) };

const protect =
  (step: Step, header: string, authorization: string): Step =>
  (request, response) => {
    if (request.headers.authorization === authorization) step(request, response);
    else reply(401, { 'www-authenticate': header })(request, response);
  };

test('a redirect to another port loses the credential, one to the same origin keeps it', async () => {
  await using f = await clientFixture({ credentials });
  await using storage = await startFakeRegistry();
  storage.script('/there', replyBlob(f.blob));
  storage.script('/back', reply(307, { location: `${f.registry.origin}/here` }));
  f.registry.script('/here', replyBlob(f.blob));
  const via = async (location: string): Promise<void> => {
    f.registry.script(f.blobPath, protect(reply(307, { location }), 'Basic realm="x"', basicHeader));
    await readAll((await f.client.fetchBlob(f.reference, f.blobDescriptor, 0)).body);
  };
  await via(`${storage.origin}/there`);
  assert.deepEqual(
    storage.seen.map(({ headers }) => headers.authorization),
    [undefined],
  );
  await via('/here');
  assert.equal(f.registry.seen.at(-1)?.headers.authorization, basicHeader);
  await via(`${storage.origin}/back`);
  assert.equal(storage.seen.at(-1)?.headers.authorization, undefined);
  assert.equal(f.registry.seen.at(-1)?.headers.authorization, undefined, 'not again after it was dropped');
});

test('a challenge of the storage behind a redirect is not answered', async () => {
  await using f = await clientFixture({ credentials });
  await using storage = await startFakeRegistry();
  storage.script('/x', reply(401, { 'www-authenticate': 'Basic realm="storage"' }));
  f.registry.script(f.blobPath, reply(307, { location: `${storage.origin}/x` }));
  await assert.rejects(f.client.fetchBlob(f.reference, f.blobDescriptor, 0), { code: 'REGISTRY_DENIED' });
  assert.deepEqual(
    storage.seen.map(({ headers }) => headers.authorization),
    [undefined],
  );
});

test('a token endpoint that redirects elsewhere does not pass the password on', async () => {
  await using f = await clientFixture({ credentials });
  await using other = await startFakeRegistry();
  other.script('/token', reply(200, {}, '{"token":"T"}'));
  f.registry.script('/token', reply(307, { location: `${other.origin}/token` }));
  const challenge = `Bearer realm="${f.registry.origin}/token"`;
  f.registry.script(f.manifestPath, protect(f.sendManifest, challenge, 'Bearer T'));
  await f.client.fetchManifest(f.reference);
  assert.deepEqual(
    other.seen.map(({ headers }) => headers.authorization),
    [undefined],
  );
});

test('an https registry cannot have the password sent in the clear, to nobody', async () => {
  for (const realm of [
    'http://auth.test/token',
    'http://127.0.0.1:9/token',
    'ftp://auth.test/token',
    'https://u:p@auth.test/token',
    'nonsense',
  ]) {
    const asked: HttpRequest[] = [];
    const http: HttpClient = {
      request: (request) => {
        asked.push(request);
        const headers = new Map([['www-authenticate', `Bearer realm="${realm}"`]]);
        return Promise.resolve({ status: 401, headers, body: (async function* () {})(), discard: () => undefined });
      },
      close: () => undefined,
    };
    const client = new DistributionRegistryClient({ http, credentials });
    await assert.rejects(client.fetchManifest(parseReference('secure.test/app')), { code: 'REGISTRY_PROTOCOL' });
    assert.deepEqual(
      asked.map(({ url, headers }) => [url.host, headers['authorization']]),
      [['secure.test', undefined]],
    );
  }
});

test('an http registry of this machine cannot send the password to another host in the clear', async () => {
  await using f = await clientFixture({ credentials });
  f.registry.script(f.manifestPath, reply(401, { 'www-authenticate': 'Bearer realm="http://192.0.2.1/token"' }));
  await assert.rejects(f.client.fetchManifest(f.reference), { code: 'REGISTRY_PROTOCOL' });
});

test('credentials are for the registry that they were stored for', async () => {
  await using f = await clientFixture({ credentials: new StaticCredentialSource({ 'docker.io': credential }) });
  f.registry.script(f.manifestPath, protect(f.sendManifest, 'Basic realm="x"', basicHeader));
  await assert.rejects(f.client.fetchManifest(f.reference), { code: 'REGISTRY_DENIED' });
  assert.deepEqual(
    f.registry.seen.map(({ headers }) => headers.authorization),
    [undefined],
  );
});

test('a layer with foreign urls is fetched from the registry of its image only', async () => {
  await using f = await clientFixture({ credentials });
  await using foreign = await startFakeRegistry();
  f.registry.script(f.blobPath, replyBlob(f.blob));
  const mediaType = mediaTypes.dockerForeignLayerGzip;
  const layer = { ...f.blobDescriptor, mediaType, urls: [`${foreign.origin}/layer`] };
  await readAll((await f.client.fetchBlob(f.reference, layer, 0)).body);
  assert.equal(foreign.seen.length, 0);
});

test('a secret that a server echoes does not get into the error', async () => {
  await using f = await clientFixture({ credentials, retries: 0 });
  const echo: Step = (request, response) => {
    const [scheme = '', value = ''] = request.headers.authorization?.split(' ') ?? [];
    const words = `you sent ${scheme} ${value}, that is ${Buffer.from(value, 'base64').toString()}`;
    replyError(400, 'ECHO', words)(request, response);
  };
  const encoded = basicHeader.slice('Basic '.length);
  const secrets = [encoded, 'hunter2hunter2', 'TOKEN-1'];
  const failure = async (): Promise<EngineError> => {
    const error = await f.client.fetchManifest(f.reference).catch((thrown: unknown) => thrown);
    assert.ok(EngineError.is(error, 'REGISTRY_FAILED'));
    assert.match(error.message, /ECHO: you sent/);
    return error;
  };
  const bearer = `Bearer realm="${f.registry.origin}/token"`;

  const afterBasic: Step = protect(echo, 'Basic realm="x"', basicHeader);
  f.registry.script(f.manifestPath, afterBasic);
  const failures = [await failure()];
  f.client.close();
  f.registry.script('/token', echo);
  f.registry.script(f.manifestPath, protect(f.sendManifest, bearer, 'Bearer TOKEN-1'));
  failures.push(await failure());
  f.registry.script('/token', reply(200, {}, '{"token":"TOKEN-1"}'));
  f.registry.script(f.manifestPath, protect(echo, bearer, 'Bearer TOKEN-1'));
  failures.push(await failure());
  for (const error of failures) {
    for (const secret of secrets)
      assert.ok(!JSON.stringify(error).includes(secret), `${secret} is in ${error.message}`);
  }
});
