import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '#lib/core/digest.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { decodeImageConfig, pairLayers } from '#lib/core/image-config.js';
import { limits } from '#lib/core/limits.js';
import type { ImageManifest } from '#lib/core/manifest.js';
import { mediaTypes } from '#lib/core/media-types.js';

const bytesOf = (document: unknown): Uint8Array => Buffer.from(JSON.stringify(document));
const diffId = digestOf('layer');

const full = {
  architecture: 'amd64',
  os: 'linux',
  variant: 'v2',
  created: '2026-01-01T00:00:00Z',
  author: 'me',
  config: {
    User: '1000:1000',
    ExposedPorts: { '80/tcp': {}, '53/udp': {} },
    Env: ['A=1', 'B'],
    Entrypoint: ['/entry'],
    Cmd: ['serve', ''],
    Volumes: { '/data': {} },
    WorkingDir: '/srv',
    Labels: { a: 'b' },
    StopSignal: 'SIGQUIT',
    Shell: ['/bin/bash', '-c'],
    Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000, Retries: 3 },
  },
  rootfs: { type: 'layers', diff_ids: [diffId] },
  history: [{ created: '2026-01-01T00:00:00Z', created_by: 'RUN x', author: 'me', comment: 'c', empty_layer: true }],
};

test('everything that containers, inspection and commits need is kept', () => {
  const { rootfs, ...rest } = full;
  assert.deepEqual(decodeImageConfig(bytesOf({ ...full, docker_version: '20' }), 'config'), {
    ...rest,
    rootfs: { diff_ids: rootfs.diff_ids },
  });
});

test('null and absent are the same', () => {
  const decoded = decodeImageConfig(
    bytesOf({
      architecture: 'arm64',
      os: 'linux',
      config: { Env: null, Entrypoint: null, Cmd: null, Volumes: null, Labels: null, Healthcheck: null },
      rootfs: { type: 'layers', diff_ids: null },
      history: null,
    }),
    'config',
  );
  assert.deepEqual(decoded, { architecture: 'arm64', os: 'linux', config: {}, rootfs: {} });
});

test('names like __proto__ are ordinary labels and ports', () => {
  const json = `{"architecture":"amd64","os":"linux","config":{"Labels":{"__proto__":"x"}},"rootfs":{}}`;
  const labels = decodeImageConfig(Buffer.from(json), 'config').config?.Labels ?? {};
  assert.deepEqual(Object.entries(labels), [['__proto__', 'x']]);
  assert.equal(Object.getPrototypeOf(labels), Object.prototype);
});

test('broken configurations are refused with the place of the fault', () => {
  const refuses = (document: unknown, reason: RegExp): void => {
    assert.throws(
      () => decodeImageConfig(bytesOf(document), 'config of x'),
      (error) => EngineError.is(error, 'INVALID_MANIFEST') && reason.test(error.message),
    );
  };
  refuses({ ...full, os: undefined }, /config of x: document\.os/);
  refuses({ ...full, rootfs: undefined }, /rootfs/);
  refuses({ ...full, rootfs: { diff_ids: ['sha256:1'] } }, /diff_ids\[0\]/);
  refuses({ ...full, config: { Env: 'A=1' } }, /config\.Env: expected an array/);
  refuses({ ...full, config: { Env: ['A=\0x'] } }, /config\.Env\[0\]: expected text without NUL/);
  refuses({ ...full, config: { WorkingDir: '/a\0' } }, /WorkingDir/);
  assert.throws(() => decodeImageConfig(new Uint8Array(limits.configBytes + 1), 'config'), { code: 'TOO_LARGE' });
});

test('layers are paired with their diffIDs, and a different number of them is refused', () => {
  const layer = { mediaType: mediaTypes.ociLayer, digest: diffId, size: 1 };
  const manifest: ImageManifest = {
    kind: 'manifest',
    mediaType: mediaTypes.ociManifest,
    config: layer,
    layers: [layer],
  };
  const config = decodeImageConfig(bytesOf(full), 'config');
  assert.deepEqual(pairLayers(manifest, config, 'image x'), [{ descriptor: layer, diffId }]);
  for (const layers of [[], [layer, layer]]) {
    assert.throws(
      () => pairLayers({ ...manifest, layers }, config, 'image x'),
      (error) => EngineError.is(error, 'INVALID_MANIFEST') && error.message.includes(`${layers.length} layers`),
    );
  }
});
