import assert from 'node:assert/strict';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Engine, type EngineOptions, serveRegistry } from 'tscontainer';
import { busyboxImage } from '../../helpers/busybox-image.js';
import { skopeoIn } from '../../helpers/other-engines.js';
import { rejection } from '../../helpers/rejection.js';
import { makeTestCertificates, type TestCertificates } from '../../helpers/test-certificate.js';
import { type Workspace, workspace } from '../../helpers/workspace.js';

interface Lab extends AsyncDisposable {
  readonly place: Workspace;
  readonly host: string;
  readonly reference: string;
  readonly certificates: TestCertificates;
  open(options: EngineOptions): Promise<Engine>;
}

/** An encrypted registry of this machine with an image in it, which may want to know its clients. */
async function tlsLab(wantsClients: boolean): Promise<Lab> {
  const place = await workspace();
  const certificates = await makeTestCertificates(await place.directory('certificates'));
  const { server, client, caPath } = certificates;
  const tls = { cert: server.certificate, key: server.key };
  const registry = await serveRegistry({
    directory: join(place.path, 'registry'),
    tls: wantsClients ? { ...tls, clientCa: caPath } : tls,
  });
  const certs = await place.directory('skopeo-certs');
  await copyFile(caPath, join(certs, 'ca.crt'));
  await copyFile(client.certificate, join(certs, 'client.cert'));
  await copyFile(client.key, join(certs, 'client.key'));
  const skopeo = await skopeoIn(await place.directory('skopeo'));
  const { path, tag } = await busyboxImage();
  const reference = `${registry.host}/app:1`;
  await skopeo('copy', '--dest-cert-dir', certs, `oci:${path}:${tag}`, `docker://${reference}`);
  return {
    place,
    host: registry.host,
    reference,
    certificates,
    open: (options) =>
      Engine.open({ root: place.engineRoot, runRoot: place.engineRunRoot, certificateDirectories: [], ...options }),
    async [Symbol.asyncDispose]() {
      await registry.close();
      await place[Symbol.asyncDispose]();
    },
  };
}

describe('an encrypted registry', () => {
  test('is trusted when its authority was given, as text or file, and pulled from and pushed to', async () => {
    await using lab = await tlsLab(false);
    for (const ca of [lab.certificates.ca, lab.certificates.caPath]) {
      await using engine = await lab.open({ registries: { [lab.host]: { ca } } });
      await engine.images.pull(lab.reference);
      const name = lab.reference.replace('/app:', '/copy:');
      await engine.images.tag(lab.reference, name);
      await engine.images.push(name);
    }
  });

  test('is not trusted otherwise, and never spoken to in the clear', async () => {
    await using lab = await tlsLab(false);
    await using strict = await lab.open({ registries: { [lab.host]: { plainHttp: false } } });
    const error = await rejection(strict.images.pull(lab.reference), 'REGISTRY_UNREACHABLE');
    assert.match(error.data.reason, /self[- ]signed|unable to (get|verify)/i);
  });

  test('that wants to know its clients gets their certificate', async () => {
    await using lab = await tlsLab(true);
    const { ca, client } = lab.certificates;
    await using stranger = await lab.open({ registries: { [lab.host]: { ca } } });
    await rejection(stranger.images.pull(lab.reference), 'REGISTRY_UNREACHABLE');
    await stranger.close();
    const own = { ca, cert: await readFile(client.certificate, 'utf8'), key: client.key };
    await using engine = await lab.open({ registries: { [lab.host]: own } });
    await engine.images.pull(lab.reference);
  });

  test('is known by what the administrator has put into certs.d', async () => {
    await using lab = await tlsLab(true);
    const { caPath, client } = lab.certificates;
    const directory = await lab.place.directory(`certs.d/${lab.host}`);
    await copyFile(caPath, join(directory, 'ca.crt'));
    await copyFile(client.certificate, join(directory, 'me.cert'));
    const certificateDirectories = [join(lab.place.path, 'none'), join(lab.place.path, 'certs.d')];
    await using engine = await lab.open({ certificateDirectories });
    const { data } = await rejection(engine.images.pull(lab.reference), 'INVALID_OPTION');
    assert.match(data.expected, /me\.key beside me\.cert/);
    await copyFile(client.key, join(directory, 'me.key'));
    await engine.images.pull(lab.reference);
  });

  test('with a file that is no certificate is told with the option, not with what is in it', async () => {
    await using lab = await tlsLab(false);
    for (const ca of ['/etc/hostname', '/nowhere/ca.pem', 'not-a-path']) {
      await using engine = await lab.open({ registries: { [lab.host]: { ca } } });
      const { data } = await rejection(engine.images.pull(lab.reference), 'INVALID_OPTION');
      assert.equal(data.option, `registries['${lab.host}'].ca`);
    }
  });
});

test('plain HTTP to another machine is refused unless it is listed', async () => {
  await using place = await workspace();
  const places = { root: place.engineRoot, runRoot: place.engineRunRoot };
  await using engine = await Engine.open({ ...places, registries: { 'registry.invalid': { plainHttp: false } } });
  const error = await rejection(engine.images.pull('registry.invalid/app'), 'REGISTRY_UNREACHABLE');
  assert.match(error.message, /registry\.invalid/);
  await rejection(
    Engine.open({ ...places, registries: { 'a.test': { mirrors: ['http://b.test'] } } }),
    'INVALID_OPTION',
  );
});
