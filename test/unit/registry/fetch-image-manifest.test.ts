import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Descriptor } from '#lib/core/descriptor.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { parsePlatform } from '#lib/core/platform.js';
import { parseReference } from '#lib/core/reference.js';
import { fetchImageManifest } from '#lib/registry/fetch-image-manifest.js';
import { MemoryRegistryClient } from '#lib/registry/memory/memory-registry-client.js';

const tagged = parseReference('registry.test/app:1');
const { tag: _, ...untagged } = tagged;
const amd64 = parsePlatform('linux/amd64');
const arm64 = parsePlatform('linux/arm64');

const registry = new MemoryRegistryClient();
const image = (name: string): Descriptor =>
  registry.addManifest(untagged, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: registry.addBlob(untagged, Buffer.from(name), mediaTypes.ociConfig),
    layers: [],
  });
const index = (reference: typeof untagged, manifests: readonly object[]): Descriptor =>
  registry.addManifest(reference, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });

test('a manifest without an index is the image', async () => {
  const descriptor = image('plain');
  const found = await fetchImageManifest(registry, { ...untagged, digest: descriptor.digest }, arm64);
  assert.equal(found.fetched.descriptor.digest, descriptor.digest);
  assert.equal(found.top, found.fetched);
});

test('nested indexes are searched until one has the platform', async () => {
  const wanted = image('wanted');
  const inner = index(untagged, [{ ...wanted, platform: amd64 }]);
  const other = index(untagged, [{ ...image('other'), platform: arm64 }]);
  const top = index(tagged, [other, inner]);
  const found = await fetchImageManifest(registry, tagged, amd64);
  assert.equal(found.fetched.descriptor.digest, wanted.digest);
  assert.equal(found.manifest.kind, 'manifest');
  assert.equal(found.top.descriptor.digest, top.digest);

  await assert.rejects(fetchImageManifest(registry, tagged, parsePlatform('linux/s390x')), (error) => {
    assert.ok(EngineError.is(error, 'PLATFORM_NOT_FOUND'));
    assert.deepEqual(error.data.available, ['linux/arm64', 'linux/amd64']);
    return true;
  });
});

test('an index that nests without end or has too many indexes is given up', async () => {
  let inner = index(untagged, [{ ...image('deep'), platform: amd64 }]);
  for (let depth = 0; depth < 5; depth += 1) inner = index(untagged, [inner]);
  const deep = fetchImageManifest(registry, { ...untagged, digest: inner.digest }, amd64);
  await assert.rejects(deep, { code: 'INVALID_MANIFEST' });

  const wide = Array.from({ length: 20 }, (_, at) => index(untagged, [{ ...image(`w${at}`), platform: arm64 }]));
  const many = fetchImageManifest(registry, { ...untagged, digest: index(untagged, wide).digest }, amd64);
  await assert.rejects(many, { code: 'INVALID_MANIFEST' });
});

test('an index whose entry says another size or type than the manifest has is refused', async () => {
  const descriptor = image('real');
  const wrongSize = index(untagged, [{ ...descriptor, size: descriptor.size + 1, platform: amd64 }]);
  const bySize = fetchImageManifest(registry, { ...untagged, digest: wrongSize.digest }, amd64);
  await assert.rejects(bySize, { code: 'SIZE_MISMATCH' });
  const wrongType = index(untagged, [{ ...descriptor, mediaType: mediaTypes.dockerManifest, platform: amd64 }]);
  const byType = fetchImageManifest(registry, { ...untagged, digest: wrongType.digest }, amd64);
  await assert.rejects(byType, { code: 'INVALID_MANIFEST' });
});
