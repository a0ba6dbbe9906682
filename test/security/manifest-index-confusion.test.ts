// CVE-2021-41190: a document that one client reads as a manifest and another as an index, under one digest.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { serveRegistry } from 'tscontainer';
import { digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { reply } from '../helpers/fake-registry.js';
import { rawRequest, uploadBlob } from '../helpers/raw-request.js';
import { clientFixture } from '../helpers/registry-client-fixture.js';
import { rejection } from '../helpers/rejection.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const config = { mediaType: mediaTypes.ociConfig, digest: digestOf('{}'), size: 2 };
const manifest = { schemaVersion: 2, config, layers: [] };
const index = { schemaVersion: 2, manifests: [] };

/** Documents with the content type under which they come. */
const ambiguous: readonly [object, string][] = [
  [{ ...manifest, ...index }, mediaTypes.ociManifest],
  [{ ...manifest, ...index }, mediaTypes.ociIndex],
  [{ ...manifest, ...index, mediaType: mediaTypes.ociIndex }, mediaTypes.ociIndex],
  [{ ...manifest, mediaType: mediaTypes.ociManifest }, mediaTypes.ociIndex],
  [{ ...manifest, mediaType: mediaTypes.ociManifest }, mediaTypes.dockerManifest],
  [{ ...index, layers: [] }, mediaTypes.dockerManifestList],
  [{ ...manifest, fsLayers: [] }, mediaTypes.ociManifest],
];
const honest: readonly [object, string][] = [
  [{ ...manifest, mediaType: mediaTypes.ociManifest }, mediaTypes.ociManifest],
  [manifest, `${mediaTypes.ociManifest}; charset=utf-8`],
  [{ ...index, mediaType: mediaTypes.ociIndex }, mediaTypes.ociIndex],
];

test('such a document is not pulled', async () => {
  await using f = await clientFixture();
  for (const [document, type] of ambiguous) {
    f.registry.script(f.manifestPath, reply(200, { 'content-type': type }, JSON.stringify(document)));
    await rejection(f.client.fetchManifest(f.reference), 'INVALID_MANIFEST');
  }
  for (const [document, type] of honest) {
    f.registry.script(f.manifestPath, reply(200, { 'content-type': type }, JSON.stringify(document)));
    assert.equal((await f.client.fetchManifest(f.reference)).descriptor.mediaType, type.split(';')[0]);
  }
});

test('nor does the embedded registry pass it on', async () => {
  await using directory = await temporaryDirectory();
  await using server = await serveRegistry({ directory: join(directory.path, 'registry') });
  assert.equal((await uploadBlob(server.host, 'app', config.digest, Buffer.from('{}'))).status, 201);
  const put = ([document, type]: readonly [object, string]) =>
    rawRequest(server.host, 'PUT', '/v2/app/manifests/1', { 'content-type': type }, JSON.stringify(document));
  for (const each of ambiguous) {
    const { status, body } = await put(each);
    assert.equal(status, 400, body);
    assert.equal(JSON.parse(body).errors[0].code, 'MANIFEST_INVALID');
  }
  assert.equal((await rawRequest(server.host, 'GET', '/v2/app/manifests/1')).status, 404);
  for (const each of honest) assert.equal((await put(each)).status, 201);
});
