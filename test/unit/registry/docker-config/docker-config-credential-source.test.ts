import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { Credential } from '#lib/registry/credential-source.js';
import {
  DockerConfigCredentialSource,
  type DockerConfigOptions,
} from '#lib/registry/docker-config/docker-config-credential-source.js';
import { temporaryDirectory } from '../../../helpers/temporary-directory.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const basic = (username: string, password: string): Credential => ({ kind: 'basic', username, password });

async function find(
  config: unknown,
  registry: string,
  helpers: Readonly<Record<string, string>> = {},
  options: DockerConfigOptions = {},
): Promise<Credential | undefined> {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'config.json');
  if (config !== undefined) await writeFile(path, typeof config === 'string' ? config : JSON.stringify(config));
  for (const [name, script] of Object.entries(helpers)) {
    await writeFile(join(directory.path, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
    await chmod(join(directory.path, `docker-credential-${name}`), 0o755);
  }
  const environment = { PATH: `${directory.path}:/usr/bin:/bin` };
  return await new DockerConfigCredentialSource(path, { environment, ...options }).find(registry);
}

const refuses = (attempt: Promise<unknown>, code: 'CREDENTIALS_FAILED' | 'CORRUPT_RECORD', message: RegExp) =>
  assert.rejects(attempt, (error) => {
    assert.ok(EngineError.is(error, code), String(error));
    assert.match(error.message, message);
    assert.ok(!JSON.stringify(error).includes('s3cret'));
    return true;
  });

test('no file and no entry mean anonymous access', async () => {
  assert.equal(await find(undefined, 'docker.io'), undefined);
  assert.equal(await find('', 'docker.io'), undefined);
  assert.equal(await find({}, 'docker.io'), undefined);
  assert.equal(await find({ auths: { 'a.test': {}, 'b.test': null } }, 'a.test'), undefined);
  assert.equal(await find({ auths: { 'a.test': { auth: base64('u:p') } } }, 'b.test'), undefined);
});

test('entries of the file itself are found', async () => {
  const auths = {
    'a.test:5000': { auth: base64('user:pass:word') },
    'https://old.test/v1/': { auth: base64('old:p') },
    'token.test': { auth: base64('x:y'), identitytoken: 'refresh' },
    'plain.test': { username: 'u', password: 'p' },
    'padded.test': { auth: base64('u:p\0\0') },
  };
  assert.deepEqual(await find({ auths }, 'a.test:5000'), basic('user', 'pass:word'));
  assert.equal(await find({ auths }, 'a.test'), undefined);
  assert.deepEqual(await find({ auths }, 'old.test'), basic('old', 'p'));
  assert.deepEqual(await find({ auths }, 'token.test'), { kind: 'identity-token', token: 'refresh' });
  assert.deepEqual(await find({ auths }, 'plain.test'), basic('u', 'p'));
  assert.deepEqual(await find({ auths }, 'padded.test'), basic('u', 'p'));
});

test('all names of Docker Hub mean the same', async () => {
  for (const key of [
    'https://index.docker.io/v1/',
    'index.docker.io',
    'docker.io',
    'https://registry-1.docker.io/v2/',
  ]) {
    assert.deepEqual(await find({ auths: { [key]: { auth: base64('u:p') } } }, 'docker.io'), basic('u', 'p'));
  }
});

test('an entry for a part of a registry is not used for all of it, nor one for a similar host', async () => {
  for (const key of ['quay.io/team', 'https://quay.io/team', 'xquay.io', 'quay.io.evil.test', 'quay.io:443']) {
    assert.equal(await find({ auths: { [key]: { auth: base64('u:p') } } }, 'quay.io'), undefined);
  }
});

test('helpers are asked for the server by the name that docker login uses', async () => {
  const echo =
    'read server || true; echo "{\\"ServerURL\\":\\"x\\",\\"Username\\":\\"$1\\",\\"Secret\\":\\"$server\\"}"';
  const helpers = { own: echo, store: echo };
  const config = { credHelpers: { 'a.test': 'own' }, credsStore: 'store' };
  assert.deepEqual(await find(config, 'a.test', helpers), basic('get', 'a.test'));
  assert.deepEqual(await find(config, 'docker.io', helpers), basic('get', 'https://index.docker.io/v1/'));
  const token = { store: `echo '{"ServerURL":"x","Username":"<token>","Secret":"T"}'` };
  assert.deepEqual(await find({ credsStore: 'store' }, 'b.test', token), { kind: 'identity-token', token: 'T' });
});

test('a helper that has no credential leaves the file itself, then anonymous access', async () => {
  const helpers = { store: 'echo "credentials not found in native keychain"; exit 1' };
  assert.equal(await find({ credsStore: 'store' }, 'a.test', helpers), undefined);
  const auths = { 'a.test': { auth: base64('u:p') } };
  assert.deepEqual(await find({ credsStore: 'store', auths }, 'a.test', helpers), basic('u', 'p'));
});

test('a helper that fails in any other way is an error', async () => {
  const failsWith = (script: string, message: RegExp, options?: DockerConfigOptions) =>
    refuses(find({ credsStore: 'store' }, 'a.test', { store: script }, options), 'CREDENTIALS_FAILED', message);
  await failsWith('echo "keychain is locked"; exit 1', /docker-credential-store: it ended with 1: keychain is locked/);
  await failsWith('exit 3', /it ended with 3/);
  await failsWith('kill -TERM $$', /it ended with SIGTERM/);
  await failsWith('echo "s3cret but no JSON"', /expected JSON/);
  await failsWith(`echo '{"Username":"s3cret"}'`, /Secret: expected a string/);
  await failsWith('yes s3cret', /printed more than/);
  await failsWith('exec sleep 60', /it ended with SIGKILL/, { helperTimeoutMs: 50 });
  await refuses(find({ credsStore: 'absent' }, 'a.test'), 'CREDENTIALS_FAILED', /cannot be run: .*ENOENT/);
  for (const name of ['../../bin/sh', 'a/b', '-x', ' ', '..']) {
    await refuses(find({ credsStore: name }, 'a.test'), 'CREDENTIALS_FAILED', /no name of a helper/);
  }
});

test('a broken file is an error that names the place and not the secret', async () => {
  await refuses(find('{"auths"', 'a.test'), 'CORRUPT_RECORD', /config\.json: expected JSON/);
  await refuses(find({ auths: { 'a.test': { auth: 7 } } }, 'a.test'), 'CORRUPT_RECORD', /auths\.a\.test\.auth/);
  for (const auth of [base64('s3cret'), base64(':s3cret'), '!s3cret:']) {
    await refuses(find({ auths: { 'a.test': { auth } } }, 'a.test'), 'CORRUPT_RECORD', /base64 of user:password/);
  }
  await using directory = await temporaryDirectory();
  await refuses(new DockerConfigCredentialSource(directory.path).find('a.test'), 'CREDENTIALS_FAILED', /EISDIR/);
});
