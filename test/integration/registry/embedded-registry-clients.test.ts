import assert from 'node:assert/strict';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Engine, type RegistryAuth, serveRegistry } from 'tscontainer';
import { busyboxImage } from '../../helpers/busybox-image.js';
import { startDockerRegistry } from '../../helpers/docker-registry.js';
import { dockerIn, podmanIn, skopeoIn } from '../../helpers/other-engines.js';
import { makeTestCertificates } from '../../helpers/test-certificate.js';
import { workspace } from '../../helpers/workspace.js';

const user = { username: 'me', password: 'secret' };
const login = `${user.username}:${user.password}`;
const users = { [user.username]: user.password };

describe('the embedded registry', () => {
  for (const auth of [undefined, { kind: 'basic', users }, { kind: 'token', users }] as const) {
    test(`serves skopeo, ${auth === undefined ? 'open' : `with ${auth.kind} authentication`}`, async () => {
      await using place = await workspace();
      await using registry = await serveRegistry({
        directory: join(place.path, 'registry'),
        ...(auth !== undefined && { auth: auth as RegistryAuth }),
      });
      const skopeo = await skopeoIn(await place.directory('skopeo'));
      const { path, tag } = await busyboxImage();
      const to = `docker://${registry.host}/team/app`;
      const creds = (side: string) => (auth === undefined ? [] : [`--${side}creds`, login]);
      await skopeo('copy', '--dest-tls-verify=false', ...creds('dest-'), `oci:${path}:${tag}`, `${to}:1`);
      await skopeo(
        'copy',
        '--dest-tls-verify=false',
        ...creds('dest-'),
        '--format',
        'v2s2',
        `oci:${path}:${tag}`,
        `${to}:2`,
      );
      const copy = join(place.path, 'copy');
      await skopeo('copy', '--src-tls-verify=false', ...creds('src-'), `${to}:1`, `oci:${copy}:1`);
      const [original, copied] = await Promise.all(
        [path, copy].map(async (layout) => JSON.parse(await readFile(join(layout, 'index.json'), 'utf8'))),
      );
      assert.equal(copied.manifests[0].digest, original.manifests[0].digest);
      const tags = async () =>
        JSON.parse(await skopeo('list-tags', '--tls-verify=false', ...creds(''), to)).Tags as string[];
      assert.deepEqual(await tags(), ['1', '2']);
      await skopeo('delete', '--tls-verify=false', ...creds(''), `${to}:1`);
      assert.deepEqual(await tags(), ['2']);
      if (auth === undefined) return;
      await assert.rejects(
        skopeo('inspect', '--tls-verify=false', '--creds', 'me:wrong', `${to}:2`),
        /unauthorized|incorrect/i,
      );
      await assert.rejects(skopeo('inspect', '--tls-verify=false', '--no-creds', `${to}:2`), /unauthorized|required/i);
    });
  }

  test('serves skopeo over TLS, with certificates of both sides', async () => {
    await using place = await workspace();
    const { caPath, server, client } = await makeTestCertificates(await place.directory('certificates'));
    await using registry = await serveRegistry({
      directory: join(place.path, 'registry'),
      tls: { cert: server.certificate, key: server.key, clientCa: caPath },
    });
    const skopeo = await skopeoIn(await place.directory('skopeo'));
    const directory = await place.directory('certs.d');
    await copyFile(caPath, join(directory, 'ca.crt'));
    const { path, tag } = await busyboxImage();
    const to = `docker://${registry.host}/app:1`;
    await assert.rejects(skopeo('copy', '--dest-cert-dir', directory, `oci:${path}:${tag}`, to), /tls|certificate/i);
    await copyFile(client.certificate, join(directory, 'client.cert'));
    await copyFile(client.key, join(directory, 'client.key'));
    await skopeo('copy', '--dest-cert-dir', directory, `oci:${path}:${tag}`, to);
    assert.match(await skopeo('inspect', '--cert-dir', directory, to), /"Digest": "sha256:/);
  });

  test('serves podman: login, push, pull', async () => {
    await using place = await workspace();
    const directory = join(place.path, 'registry');
    await using registry = await serveRegistry({ directory, auth: { kind: 'token', users } });
    const podman = await podmanIn(await place.directory('podman'));
    const { path, tag } = await busyboxImage();
    await podman('login', '--tls-verify=false', '-u', user.username, '-p', user.password, registry.host);
    const loaded = (await podman('pull', '--quiet', `oci:${path}:${tag}`)).trim();
    await podman('push', '--quiet', '--tls-verify=false', loaded, `${registry.host}/team/app:1`);
    await podman('rmi', '--all', '--force');
    const pulled = (await podman('pull', '--quiet', '--tls-verify=false', `${registry.host}/team/app:1`)).trim();
    assert.equal(pulled, loaded);
  });

  test('serves Docker: login, pull, push, and mounts from the repository that was pulled', async () => {
    await using place = await workspace();
    const directory = join(place.path, 'registry');
    await using registry = await serveRegistry({ directory, auth: { kind: 'token', users } });
    const skopeo = await skopeoIn(await place.directory('skopeo'));
    const { path, tag } = await busyboxImage();
    const to = `docker://${registry.host}/team/base:1`;
    await skopeo('copy', '--dest-tls-verify=false', '--dest-creds', login, `oci:${path}:${tag}`, to);
    await using started = await dockerIn(await place.directory('docker'));
    const { docker } = started;
    await docker('login', '-u', user.username, '-p', user.password, registry.host);
    await docker('pull', `${registry.host}/team/base:1`);
    await docker('tag', `${registry.host}/team/base:1`, `${registry.host}/team/app:2`);
    assert.match(await docker('push', `${registry.host}/team/app:2`), /Mounted from team\/base/);
    await docker('rmi', `${registry.host}/team/base:1`, `${registry.host}/team/app:2`);
    await docker('pull', `${registry.host}/team/app:2`);
  });
});

describe('what this engine has pushed', () => {
  for (const kind of ['the embedded registry', 'docker-registry'] as const) {
    test(`is read by skopeo, podman and Docker at ${kind}`, async () => {
      await using place = await workspace();
      await using source = await serveRegistry({ directory: join(place.path, 'source') });
      await using registry =
        kind === 'docker-registry'
          ? await startDockerRegistry()
          : await serveRegistry({ directory: join(place.path, 'registry') });
      const skopeo = await skopeoIn(await place.directory('skopeo'));
      const { path, tag } = await busyboxImage();
      const from = `${source.host}/app:1`;
      await skopeo('copy', '--dest-tls-verify=false', `oci:${path}:${tag}`, `docker://${from}`);
      await using engine = await Engine.open({ root: place.engineRoot, runRoot: place.engineRunRoot });
      const pulled = await engine.images.pull(from);
      const name = `${registry.host}/team/app:1`;
      await engine.images.tag(from, name);
      const pushed = await engine.images.push(name);
      assert.equal(pushed.digest, pulled.digest);
      assert.equal((await engine.images.push(name)).uploadedBytes, 0);
      const inspected = JSON.parse(await skopeo('inspect', '--tls-verify=false', `docker://${name}`));
      assert.equal(inspected.Digest, pulled.digest);
      const podman = await podmanIn(await place.directory('podman'));
      const id = (await podman('pull', '--quiet', '--tls-verify=false', name)).trim();
      assert.equal(`sha256:${id}`, pulled.id);
      await using started = await dockerIn(await place.directory('docker'));
      await started.docker('pull', name);
      assert.equal((await started.docker('images', '--no-trunc', '--quiet')).trim(), pulled.id);
    });
  }
});
