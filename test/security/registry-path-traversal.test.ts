// CVE-2014-9356, CVE-2014-9357 and relatives: names, tags, digests and ids that lead out of the registry's directory.
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { serveRegistry } from 'tscontainer';
import { digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { rawRequest, uploadBlob } from '../helpers/raw-request.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const blob = Buffer.from('{}');
const config = { mediaType: mediaTypes.ociConfig, digest: digestOf(blob), size: 2 };
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] });

const names = [
  '..',
  '../../outside',
  'a/../../outside',
  '%2e%2e/outside',
  '..%2foutside',
  '..%2f..%2foutside',
  'a/%2e%2e/b',
  '/etc',
  '%2fetc',
  'a//b',
  '.a',
  'a/.b',
  '_blobs',
  'a/_tags',
  'a%00b',
  'a%0ab',
  'A',
  'a\\..\\b',
  `a/${'b'.repeat(256)}`,
  'ä',
  '%c0%ae%c0%ae/x',
];

test('no name, tag, digest or id leads out of the directory', async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'outside'), 'untouched');
  await using server = await serveRegistry({ directory: join(directory.path, 'registry') });
  const { host } = server;
  const all = async () => (await readdir(directory.path, { recursive: true })).sort();
  const before = await all();
  const refused = async (method: string, path: string): Promise<void> => {
    const { status } = await rawRequest(host, method, path, { 'content-type': mediaTypes.ociManifest }, manifest);
    assert.ok(status >= 400 && status < 500, `${method} ${path}: ${status}`);
  };
  for (const name of names) {
    for (const method of ['GET', 'PUT', 'DELETE']) await refused(method, `/v2/${name}/manifests/1`);
    for (const method of ['GET', 'DELETE']) await refused(method, `/v2/${name}/blobs/${config.digest}`);
    await refused('POST', `/v2/${name}/blobs/uploads/`);
    await refused('POST', `/v2/${name}/blobs/uploads/?digest=${config.digest}`);
    await refused('GET', `/v2/${name}/tags/list`);
  }
  const places = ['..', '.', '%2e%2e', '../../x', '..%2fx', '-a', 'a%2fb', 'a%00', `${'a'.repeat(129)}`, 'sha256:../x'];
  for (const place of places) {
    await refused('PUT', `/v2/app/manifests/${place}`);
    await refused('GET', `/v2/app/blobs/${place}`);
    await refused('DELETE', `/v2/app/blobs/${place}`);
    await refused('PATCH', `/v2/app/blobs/uploads/${place}`);
    await refused('PUT', `/v2/app/blobs/uploads/${place}?digest=${config.digest}`);
    await refused('GET', `/v2/app/referrers/${place}`);
    await refused('POST', `/v2/app/blobs/uploads/?digest=${place}`);
    await refused('POST', `/v2/app/blobs/uploads/?mount=${place}&from=app`);
    await refused('PUT', `/v2/app/manifests/${digestOf(manifest)}?tag=${place}`);
  }
  assert.deepEqual(await all(), before);

  assert.equal((await uploadBlob(host, 'team/app', config.digest, blob)).status, 201);
  const put = await rawRequest(host, 'PUT', '/v2/team/app/manifests/v1.0_-x', {}, manifest);
  assert.equal(put.status, 201, 'the honest twin');
});

test('a mount from a name that is none is offered as an upload', async () => {
  await using directory = await temporaryDirectory();
  await using server = await serveRegistry({ directory: join(directory.path, 'registry') });
  for (const from of ['../..', '%2e%2e', '_blobs', '']) {
    const path = `/v2/app/blobs/uploads/?mount=${config.digest}&from=${from}`;
    assert.equal((await rawRequest(server.host, 'POST', path)).status, 202);
  }
});
