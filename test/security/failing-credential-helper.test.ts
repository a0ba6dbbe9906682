// CVE-2021-41092: a credential helper that fails must not lead to a request with other credentials, or to another host.
import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DockerConfigCredentialSource } from '#lib/registry/docker-config/docker-config-credential-source.js';
import { reply, type Step } from '../helpers/fake-registry.js';
import { clientFixture } from '../helpers/registry-client-fixture.js';
import { rejection } from '../helpers/rejection.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

async function credentialsOf(directory: string, helper: string): Promise<DockerConfigCredentialSource> {
  const path = join(directory, 'config.json');
  const auths = { 'https://index.docker.io/v1/': { auth: Buffer.from('hub:password').toString('base64') } };
  await writeFile(path, JSON.stringify({ credsStore: 'test', auths }));
  await writeFile(join(directory, 'docker-credential-test'), `#!/bin/sh\n${helper}\n`);
  await chmod(join(directory, 'docker-credential-test'), 0o755);
  return new DockerConfigCredentialSource(path, { environment: { PATH: `${directory}:${process.env.PATH}` } });
}

const challenge = reply(401, { 'www-authenticate': 'Basic realm="x"' });

test('a helper that fails ends the pull after the challenge, and nobody is shown anything', async () => {
  for (const helper of ['exit 1', 'echo locked; exit 1', 'kill -9 $$', 'echo garbage']) {
    await using directory = await temporaryDirectory();
    await using f = await clientFixture({ credentials: await credentialsOf(directory.path, helper) });
    f.registry.script(f.manifestPath, challenge);
    await rejection(f.client.fetchManifest(f.reference), 'CREDENTIALS_FAILED');
    assert.deepEqual(
      f.registry.seen.map(({ headers }) => headers.authorization),
      [undefined],
    );
  }
});

test('a helper that answers is believed', async () => {
  await using directory = await temporaryDirectory();
  const credentials = await credentialsOf(directory.path, `echo '{"Username":"me","Secret":"mine"}'`);
  await using f = await clientFixture({ credentials });
  const guarded: Step = (request, response) =>
    (request.headers.authorization === undefined ? challenge : f.sendManifest)(request, response);
  f.registry.script(f.manifestPath, guarded);
  await f.client.fetchManifest(f.reference);
  const shown = f.registry.seen.at(-1)?.headers.authorization;
  assert.equal(shown, `Basic ${Buffer.from('me:mine').toString('base64')}`);
});
