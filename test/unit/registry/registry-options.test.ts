import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { checkRegistries, type RegistryOptions } from '#lib/registry/registry-options.js';

const check = (registries: Record<string, RegistryOptions>) =>
  checkRegistries(registries, (host) => host === 'localhost:5000');

test('registries are known by one name, mirrors in parts', () => {
  const settings = check({
    'index.docker.io': {
      mirrors: ['mirror.test', 'https://cache.test:8443/docker/hub/', 'http://plain.test', 'http://localhost:5000'],
      credential: { username: 'me', password: 'secret' },
    },
    'plain.test': { plainHttp: true },
    'secure.test': { ca: '/ca.pem', cert: '/cert.pem', key: '/key.pem' },
  });
  assert.deepEqual([...settings.keys()], ['docker.io', 'plain.test', 'secure.test']);
  assert.deepEqual(settings.get('docker.io'), {
    mirrors: [
      { host: 'mirror.test', prefix: '', encrypted: undefined },
      { host: 'cache.test:8443', prefix: 'docker/hub/', encrypted: true },
      { host: 'plain.test', prefix: '', encrypted: false },
      { host: 'localhost:5000', prefix: '', encrypted: false },
    ],
    plainHttp: undefined,
    ca: [],
    identity: undefined,
    credential: { kind: 'basic', username: 'me', password: 'secret' },
  });
  assert.deepEqual(settings.get('secure.test')?.identity, { cert: '/cert.pem', key: '/key.pem' });
});

test('what cannot be meant is refused with its place', () => {
  const wrong: readonly [Record<string, RegistryOptions>, RegExp][] = [
    [{ 'no host': {} }, /registries\['no host'\]/],
    [{ 'a.test/path': {} }, /registries\['a.test\/path'\]/],
    [{ 'docker.io': {}, 'index.docker.io': {} }, /each registry once/],
    [{ 'a.test': { mirrors: ['http://b.test'] } }, /mirrors: expected https, or registries\['b.test'\]\.plainHttp/],
    [{ 'a.test': { mirrors: ['ftp://b.test'] } }, /mirrors\[0\]/],
    [{ 'a.test': { mirrors: ['https://user:pass@b.test'] } }, /mirrors\[0\]/],
    [{ 'a.test': { mirrors: ['b.test/Up/Per'] } }, /mirrors\[0\]/],
    [{ 'a.test': { mirrors: ['b.test/../x'] } }, /mirrors\[0\]/],
    [{ 'a.test': { mirrors: 'b.test' as never } }, /mirrors: expected an array/],
    [{ 'a.test': { cert: '/a.pem' } }, /key: expected both/],
    [{ 'a.test': { plainHttp: true, ca: '/ca.pem' } }, /plainHttp: expected false where there are certificates/],
    [{ 'a.test': { plainHttp: 1 as never } }, /plainHttp: expected true or false/],
    [{ 'a.test': { credential: { username: 'a:b', password: 'secret' } } }, /credential.username/],
  ];
  for (const [registries, message] of wrong) {
    assert.throws(
      () => check(registries),
      (error) => {
        assert.ok(EngineError.is(error, 'INVALID_OPTION'), String(error));
        assert.match(error.message, message);
        assert.ok(!error.message.includes('secret'));
        return true;
      },
    );
  }
});
