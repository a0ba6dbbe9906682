import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '#lib/core/digest.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { limits } from '#lib/core/limits.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { cutAfter, reply, replyError } from '../../../helpers/fake-registry.js';
import { clientFixture } from '../../../helpers/registry-client-fixture.js';

test('a manifest is fetched by tag with its exact bytes, digest, size and type', async () => {
  await using f = await clientFixture();
  f.registry.script(f.manifestPath, f.sendManifest);
  const { descriptor, bytes } = await f.client.fetchManifest(f.reference);
  assert.deepEqual(Buffer.from(bytes), f.manifest);
  assert.deepEqual(descriptor, {
    mediaType: mediaTypes.ociManifest,
    digest: digestOf(f.manifest),
    size: f.manifest.byteLength,
  });
  const [request] = f.registry.seen;
  for (const type of [mediaTypes.ociManifest, mediaTypes.ociIndex, mediaTypes.dockerManifest]) {
    assert.ok(request?.headers.accept?.includes(type));
  }
  assert.equal(request?.headers['accept-encoding'], 'identity');
  assert.equal(request?.headers.authorization, undefined);
});

test('a reference with tag and digest is fetched by digest, which is verified', async () => {
  await using f = await clientFixture();
  const digest = digestOf(f.manifest);
  f.registry.script(`/v2/app/manifests/${digest}`, f.sendManifest);
  assert.equal((await f.client.fetchManifest({ ...f.reference, digest })).descriptor.digest, digest);
  assert.equal((await f.client.fetchManifestByDigest(f.reference, digest)).descriptor.digest, digest);

  const wrong = digestOf('something else');
  f.registry.script(`/v2/app/manifests/${wrong}`, f.sendManifest);
  await assert.rejects(f.client.fetchManifestByDigest(f.reference, wrong), (error) => {
    assert.ok(EngineError.is(error, 'DIGEST_MISMATCH'));
    assert.deepEqual([error.data.expected, error.data.actual], [wrong, digest]);
    return true;
  });
});

test('the digest that the registry states is verified too', async () => {
  await using f = await clientFixture();
  const type = { 'content-type': mediaTypes.ociManifest };
  const wrong = { ...type, 'docker-content-digest': digestOf('x') };
  f.registry.script(f.manifestPath, reply(200, wrong, f.manifest));
  await assert.rejects(f.client.fetchManifest(f.reference), { code: 'DIGEST_MISMATCH' });
  f.registry.script(f.manifestPath, reply(200, { ...type, 'docker-content-digest': 'sha256:../x' }, f.manifest));
  await assert.rejects(f.client.fetchManifest(f.reference), { code: 'REGISTRY_PROTOCOL' });
});

test('a manifest that says to be something else than it was sent as is refused', async () => {
  await using f = await clientFixture();
  f.registry.script(f.manifestPath, reply(200, { 'content-type': mediaTypes.ociIndex }, f.manifest));
  await assert.rejects(f.client.fetchManifest(f.reference), { code: 'INVALID_MANIFEST' });
  f.registry.script(f.manifestPath, reply(200, { 'content-type': mediaTypes.dockerSchema1Signed }, f.manifest));
  await assert.rejects(f.client.fetchManifest(f.reference), { code: 'UNSUPPORTED_MEDIA_TYPE' });
});

test('an oversized manifest is refused, announced or not, without reading it all', async () => {
  await using f = await clientFixture();
  const large = new Uint8Array(limits.manifestBytes + 1);
  f.registry.script(f.manifestPath, reply(200, {}, large));
  await assert.rejects(f.client.fetchManifest(f.reference), { code: 'TOO_LARGE' });

  let stopped: () => void = () => undefined;
  const clientHungUp = new Promise<void>((resolve) => {
    stopped = resolve;
  });
  f.registry.script(f.manifestPath, (_request, response) => {
    response.once('close', stopped);
    const more = (): void => {
      while (!response.destroyed && response.write(large.subarray(0, 65_536)));
      response.once('drain', more);
    };
    more();
  });
  await assert.rejects(f.client.fetchManifest(f.reference), { code: 'TOO_LARGE' });
  await clientHungUp;
});

test('each status becomes its error, with the words of the registry', async () => {
  await using f = await clientFixture({ retries: 0 });
  const cases = [
    [404, 'IMAGE_NOT_FOUND', /no image 127.0.0.1:\d+\/app:1 at 127.0.0.1/],
    [401, 'REGISTRY_DENIED', /refused access \(401\)/],
    [403, 'REGISTRY_DENIED', /refused access \(403\): CODE: some words/],
    [400, 'REGISTRY_FAILED', /answered 400: CODE: some words/],
    [429, 'REGISTRY_RATE_LIMITED', /limits the rate/],
    [500, 'REGISTRY_FAILED', /answered 500: CODE: some words/],
    [503, 'REGISTRY_FAILED', /answered 503/],
    [304, 'REGISTRY_PROTOCOL', /status 304/],
    [206, 'REGISTRY_PROTOCOL', /status 206/],
  ] as const;
  for (const [status, code, message] of cases) {
    f.registry.script(f.manifestPath, replyError(status, 'CODE', 'some words'));
    await assert.rejects(f.client.fetchManifest(f.reference), (error) => {
      assert.ok(EngineError.is(error, code), `${status} gave ${error}`);
      assert.match(error.message, message);
      return true;
    });
  }
});

test('what a registry says is cut and cleaned before it gets into an error', async () => {
  await using f = await clientFixture({ retries: 0 });
  const reasonOf = async (body: string): Promise<string> => {
    f.registry.script(f.manifestPath, reply(400, {}, body));
    const error = await f.client.fetchManifest(f.reference).catch((thrown: unknown) => thrown);
    assert.ok(EngineError.is(error, 'REGISTRY_FAILED'));
    return error.data.reason;
  };
  const withMessage = (message: unknown): string => JSON.stringify({ errors: [{ message }] });
  assert.equal(await reasonOf(withMessage('a\u001b[2J\r\nb\u202ec')), 'a [2J b c');
  assert.equal((await reasonOf(withMessage('x'.repeat(5000)))).length, 300);
  for (const useless of [
    '<html>no</html>',
    '',
    '[]',
    '{"errors":{}}',
    withMessage({}),
    withMessage('y'.repeat(50_000)),
  ]) {
    assert.equal(await reasonOf(useless), 'Bad Request');
  }
  f.registry.script(f.manifestPath, cutAfter(Buffer.from(withMessage('z')), 3));
  await assert.rejects(f.client.fetchManifest(f.reference), { code: 'REGISTRY_UNREACHABLE' });
});
