import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Descriptor } from '#lib/core/descriptor.js';
import { digestOf } from '#lib/core/digest.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { ImageIndex } from '#lib/core/manifest.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { parsePlatform } from '#lib/core/platform.js';
import { chooseFromIndex } from '#lib/registry/choose-platform.js';

const entry = (name: string, platform?: string, extra: Partial<Descriptor> = {}): Descriptor => ({
  mediaType: mediaTypes.ociManifest,
  digest: digestOf(name),
  size: 1,
  ...(platform !== undefined && { platform: parsePlatform(platform) }),
  ...extra,
});
const indexOf = (...manifests: readonly Descriptor[]): ImageIndex => ({
  kind: 'index',
  mediaType: mediaTypes.ociIndex,
  manifests,
});
const choose = (index: ImageIndex, platform: string): Descriptor =>
  chooseFromIndex(index, parsePlatform(platform), 'x:1');

const attestation = entry('attestation', 'unknown/unknown');
const marked = entry('marked', 'linux/amd64', {
  annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
});
const amd64 = entry('amd64', 'linux/amd64');
const v3 = entry('v3', 'linux/amd64/v3');
const arm5 = entry('arm5', 'linux/arm/v5');
const arm6 = entry('arm6', 'linux/arm/v6');

test('the best entry for a platform is chosen, wherever it stands', () => {
  const index = indexOf(attestation, marked, v3, arm5, arm6, amd64, entry('later', 'linux/amd64'));
  assert.equal(choose(index, 'linux/amd64'), amd64);
  assert.equal(choose(index, 'linux/amd64/v3'), v3);
  assert.equal(choose(index, 'linux/amd64/v2'), amd64);
  assert.equal(choose(index, 'linux/arm/v7'), arm6);
});

test('nested indexes and manifests without a platform are the last resort', () => {
  const plain = entry('plain');
  const nested = entry('nested', undefined, { mediaType: mediaTypes.ociIndex });
  assert.equal(choose(indexOf(plain, nested, amd64), 'linux/amd64'), amd64);
  assert.equal(choose(indexOf(plain, nested), 'linux/amd64'), nested);
  assert.equal(choose(indexOf(arm6, plain), 'linux/amd64'), plain);
});

test('a platform that is not there fails with what is there', () => {
  const index = indexOf(attestation, arm6, arm6, v3, entry('odd', 'linux/s390x', { mediaType: 'text/html' }));
  assert.throws(
    () => choose(index, 'linux/riscv64'),
    (error) => {
      assert.ok(EngineError.is(error, 'PLATFORM_NOT_FOUND'));
      assert.deepEqual(error.data, {
        reference: 'x:1',
        platform: 'linux/riscv64',
        available: ['linux/arm/v6', 'linux/amd64/v3', 'linux/s390x'],
      });
      return true;
    },
  );
});
