import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registryUrl } from '#lib/registry/distribution/registry-url.js';

test('registries are spoken to over https, those of this machine and listed ones over http', () => {
  const url = (registry: string): string => registryUrl(registry, ['plain.test:5000']).href;
  assert.equal(url('docker.io'), 'https://registry-1.docker.io/');
  assert.equal(url('ghcr.io'), 'https://ghcr.io/');
  assert.equal(url('plain.test:5000'), 'http://plain.test:5000/');
  assert.equal(url('plain.test'), 'https://plain.test/');
  assert.equal(url('localhost'), 'http://localhost/');
  assert.equal(url('localhost:5000'), 'http://localhost:5000/');
  assert.equal(url('127.0.0.1:5000'), 'http://127.0.0.1:5000/');
  assert.equal(url('127.8.9.10'), 'http://127.8.9.10/');
  assert.equal(url('[::1]:5000'), 'http://[::1]:5000/');
});

test('hosts that only look like this machine get https', () => {
  for (const host of ['localhost.evil.test', '127.0.0.1.evil.test', '10.0.0.1:5000', '[::2]', '128.0.0.1']) {
    assert.equal(registryUrl(host, []).protocol, 'https:');
  }
});

test('what is no host is refused', () => {
  for (const bad of ['', 'a/b', 'user@host', 'host:port', 'a b', 'host?x']) {
    assert.throws(() => registryUrl(bad, []), { code: 'INVALID_OPTION' });
  }
});
