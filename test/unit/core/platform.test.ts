import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { formatPlatform, hostPlatform, parsePlatform, platformDistance } from '#lib/core/platform.js';

test('platforms are parsed with the names that people use for them', () => {
  assert.deepEqual(parsePlatform('linux/arm/v6'), { os: 'linux', architecture: 'arm', variant: 'v6' });
  assert.deepEqual(parsePlatform('linux/arm64/v8'), { os: 'linux', architecture: 'arm64' });
  assert.deepEqual(parsePlatform('arm64'), { os: 'linux', architecture: 'arm64' });
  assert.deepEqual(parsePlatform('linux/x86_64'), { os: 'linux', architecture: 'amd64' });
  assert.deepEqual(parsePlatform('Linux/aarch64/v8'), { os: 'linux', architecture: 'arm64' });
  assert.deepEqual(parsePlatform('armhf'), { os: 'linux', architecture: 'arm', variant: 'v7' });
  assert.equal(formatPlatform(hostPlatform('x64')), 'linux/amd64');
  for (const bad of ['', 'a/b/c/d', 'linux/', '/amd64', 'linux/am d64']) {
    assert.throws(
      () => parsePlatform(bad),
      (error) => EngineError.is(error, 'INVALID_OPTION'),
    );
  }
});

test('an older variant runs, a newer one and another architecture do not', () => {
  const distance = (wanted: string, offered: string): number | undefined =>
    platformDistance(parsePlatform(wanted), parsePlatform(offered));
  assert.equal(distance('linux/amd64', 'linux/amd64'), 0);
  assert.equal(distance('linux/arm64', 'linux/arm64/v8'), 0);
  assert.equal(distance('linux/arm/v7', 'linux/arm/v6'), 1);
  assert.equal(distance('linux/arm/v7', 'linux/arm/v5'), 2);
  assert.equal(distance('linux/amd64/v3', 'linux/amd64'), 2);
  assert.equal(distance('linux/arm/v6', 'linux/arm/v7'), undefined);
  assert.equal(distance('linux/amd64', 'linux/amd64/v3'), undefined);
  assert.equal(distance('linux/amd64', 'linux/386'), undefined);
  assert.equal(distance('linux/amd64', 'windows/amd64'), undefined);
  assert.equal(distance('linux/arm64', 'linux/arm64/weird'), undefined);
});
