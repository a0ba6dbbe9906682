import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Credential } from '#lib/registry/credential-source.js';
import { DockerConfigCredentialSource } from '#lib/registry/docker-config/docker-config-credential-source.js';
import { login, logout } from '#lib/registry/login.js';
import { MemoryRegistryClient } from '#lib/registry/memory/memory-registry-client.js';
import { rejection } from '../../helpers/rejection.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';

const me: Credential = { kind: 'basic', username: 'me', password: 'pass: wörd' };
const host = 'registry.test:5000';

async function open(context: TestContext, config?: object) {
  const directory = await scopedDirectory(context);
  const path = join(directory, 'docker', 'config.json');
  if (config !== undefined) {
    await mkdir(join(directory, 'docker'));
    await writeFile(path, JSON.stringify(config), { mode: 0o644 });
  }
  const helper = join(directory, 'docker-credential-test');
  // Keeps what it is told in a file, as a keyring would.
  const script = `#!/bin/sh
store=${directory}/kept
case $1 in
  get) [ -e $store ] || { echo 'credentials not found in native keychain'; exit 1; }; cat $store ;;
  store) cat >$store ;;
  erase) read server; echo "$server" >${directory}/erased; rm $store ;;
esac`;
  await writeFile(helper, script);
  await chmod(helper, 0o755);
  const environment = { PATH: `${directory}:${process.env.PATH}` };
  const registry = new MemoryRegistryClient();
  registry.addUser(host, 'me', 'pass: wörd');
  const credentials = new DockerConfigCredentialSource(path, { environment });
  return { directory, path, credentials, services: { registry, credentials } };
}

const read = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

describe('a login', () => {
  test('is stored as docker login does it, for its owner only, and found again', async (context) => {
    const { path, credentials, services } = await open(context);
    const result = await login(services, host, me, {});
    assert.deepEqual(result, { registry: host, storedIn: path, identityToken: false });
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await read(path), {
      auths: { [host]: { auth: Buffer.from('me:pass: wörd').toString('base64') } },
    });
    assert.deepEqual(await credentials.find(host), me);
  });

  test('leaves everything else in the file, and replaces the registry’s former entries', async (context) => {
    const config = {
      auths: { [`https://${host}/v1/`]: { auth: 'b2xkOm9sZA==' }, 'other.test': { auth: 'eDp5' } },
      psFormat: 'table',
    };
    const { path, services } = await open(context, config);
    await login(services, `https://${host}/v2/`, me, {});
    const stored = await read(path);
    assert.deepEqual(Object.keys(stored.auths).sort(), ['other.test', host].sort());
    assert.equal(stored.psFormat, 'table');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  test('follows a symbolic link in the place of the file', async (context) => {
    const { directory, path, services } = await open(context);
    await mkdir(join(directory, 'docker'));
    await writeFile(join(directory, 'real.json'), '{"a":1}');
    await symlink(join(directory, 'real.json'), path);
    await login(services, host, me, {});
    assert.equal((await read(join(directory, 'real.json'))).a, 1);
    assert.ok((await read(path)).auths[host] !== undefined);
  });

  test('goes to the helper where there is one, and only its mark to the file', async (context) => {
    const { directory, path, credentials, services } = await open(context, { credsStore: 'test' });
    assert.equal((await login(services, host, me, {})).storedIn, 'docker-credential-test');
    assert.deepEqual(await read(join(directory, 'kept')), { ServerURL: host, Username: 'me', Secret: 'pass: wörd' });
    assert.deepEqual((await read(path)).auths, { [host]: {} });
    assert.deepEqual(await credentials.find(host), me);
    assert.equal(await logout(services, host), true);
    assert.equal((await readFile(join(directory, 'erased'), 'utf8')).trim(), host);
    assert.equal(await credentials.find(host), undefined);
  });

  test('to Docker Hub is stored under the name that Docker uses', async (context) => {
    const { path, services, credentials } = await open(context);
    await login(services, 'docker.io', me, {});
    assert.deepEqual(Object.keys((await read(path)).auths), ['https://index.docker.io/v1/']);
    assert.deepEqual(await credentials.find('docker.io'), me);
  });

  test('that is wrong stores nothing', async (context) => {
    const { path, services } = await open(context);
    await rejection(login(services, host, { ...me, password: 'no' }, {}), 'REGISTRY_DENIED');
    await assert.rejects(stat(path), { code: 'ENOENT' });
    await rejection(login(services, 'no host/', me, {}), 'INVALID_OPTION');
    await rejection(login(services, host, { ...me, username: 'a:b' }, {}), 'INVALID_OPTION');
  });

  test('that cannot be stored says why, without the password', async (context) => {
    const { directory, services } = await open(context, { credsStore: 'test' });
    await writeFile(join(directory, 'docker-credential-test'), '#!/bin/sh\ncat; exit 1\n');
    const error = await rejection(login(services, host, me, {}), 'CREDENTIALS_FAILED');
    assert.ok(!error.message.includes('wörd'), error.message);
    const fixed = { registry: services.registry, credentials: { find: async () => undefined } };
    await rejection(login(fixed, host, me, {}), 'CREDENTIALS_FAILED');
  });
});

describe('a logout', () => {
  test('removes every entry of the registry and says whether there was one', async (context) => {
    const auths = { [host]: { auth: 'eDp5' }, [`https://${host}`]: { auth: 'eDp5' }, 'other.test': { auth: 'eDp5' } };
    const { path, services } = await open(context, { auths });
    assert.equal(await logout(services, host), true);
    assert.deepEqual(Object.keys((await read(path)).auths), ['other.test']);
    assert.equal(await logout(services, host), false);
  });
});
