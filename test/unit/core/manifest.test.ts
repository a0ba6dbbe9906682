import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '#lib/core/digest.js';
import { EngineError, type ErrorCode } from '#lib/core/errors/engine-error.js';
import { limits } from '#lib/core/limits.js';
import { decodeIndex, decodeManifest, decodeManifestOrIndex, requireImage } from '#lib/core/manifest.js';
import { mediaTypes } from '#lib/core/media-types.js';

const bytesOf = (document: unknown): Uint8Array => Buffer.from(JSON.stringify(document));
const descriptor = (mediaType: string, extra: object = {}): Record<string, unknown> => ({
  mediaType,
  digest: digestOf(mediaType),
  size: 7,
  ...extra,
});
const config = descriptor(mediaTypes.ociConfig);
const layer = descriptor(mediaTypes.ociLayerGzip);
const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
const index = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociIndex,
  manifests: [descriptor(mediaTypes.ociManifest, { platform: { os: 'linux', architecture: 'amd64', variant: '' } })],
};

const refuses = (document: unknown, code: ErrorCode, reason: RegExp, contentType?: string): void => {
  const bytes = document instanceof Uint8Array ? document : bytesOf(document);
  assert.throws(
    () => decodeManifestOrIndex(bytes, contentType, 'manifest of x'),
    (error) => EngineError.is(error, code) && reason.test(error.message) && error.message.startsWith('manifest of x'),
  );
};

test('OCI and Docker manifests are decoded, unknown fields dropped', () => {
  for (const [mediaType, configType, layerType] of [
    [mediaTypes.ociManifest, mediaTypes.ociConfig, mediaTypes.ociLayerZstd],
    [mediaTypes.dockerManifest, mediaTypes.dockerConfig, mediaTypes.dockerLayerGzip],
  ] as const) {
    const decoded = decodeManifest(
      bytesOf({ ...manifest, mediaType, config: descriptor(configType), layers: [descriptor(layerType)], strange: 1 }),
      mediaType,
      'm',
    );
    requireImage(decoded, 'm');
    assert.deepEqual(decoded, {
      kind: 'manifest',
      mediaType,
      config: descriptor(configType),
      layers: [descriptor(layerType)],
    });
  }
});

test('an index keeps platforms, annotations and urls; an empty variant is none', () => {
  const entry = descriptor(mediaTypes.ociManifest, { annotations: { a: 'b' }, urls: ['https://x/y'], platform: null });
  const decoded = decodeIndex(bytesOf({ ...index, manifests: [...index.manifests, entry] }), undefined, 'i');
  const { platform: _, ...kept } = entry;
  assert.deepEqual(decoded.manifests, [
    descriptor(mediaTypes.ociManifest, { platform: { os: 'linux', architecture: 'amd64' } }),
    kept,
  ]);
});

test('null lists count as empty, as Go writes them', () => {
  assert.deepEqual(decodeManifest(bytesOf({ ...manifest, layers: null, manifests: null }), undefined, 'm').layers, []);
});

test('the media type comes from the document, else from the transport, else from the shape', () => {
  const { mediaType: _, ...bare } = manifest;
  const { mediaType: __, ...bareIndex } = index;
  assert.equal(
    decodeManifestOrIndex(bytesOf(bare), mediaTypes.dockerManifest, 'm').mediaType,
    mediaTypes.dockerManifest,
  );
  assert.equal(decodeManifestOrIndex(bytesOf(bare), undefined, 'm').mediaType, mediaTypes.ociManifest);
  assert.equal(decodeManifestOrIndex(bytesOf(bareIndex), '', 'm').kind, 'index');
  const withParameter = `${mediaTypes.ociManifest}; charset=utf-8`;
  assert.equal(decodeManifestOrIndex(bytesOf(manifest), withParameter, 'm').kind, 'manifest');
});

test('a document that could be read in two ways is refused', () => {
  const { mediaType: _, ...bare } = { ...manifest, ...index };
  refuses(bare, 'INVALID_MANIFEST', /kind index and has 'config'/);
  refuses({ ...index, layers: [] }, 'INVALID_MANIFEST', /kind index and has 'layers'/);
  refuses({ ...manifest, manifests: [] }, 'INVALID_MANIFEST', /kind manifest and has 'manifests'/);
  refuses({ ...manifest, fsLayers: [] }, 'INVALID_MANIFEST', /has 'fsLayers'/);
  refuses(manifest, 'INVALID_MANIFEST', /came as .*index.* but says to be .*manifest/, mediaTypes.ociIndex);
  refuses(manifest, 'INVALID_MANIFEST', /came as text\/plain/, 'text/plain');
  assert.throws(() => decodeIndex(bytesOf(manifest), undefined, 'm'), /is a manifest, expected an index/);
  assert.throws(() => decodeManifest(bytesOf(index), undefined, 'm'), /is an index, expected a manifest/);
});

test('schema 1 is refused by name, other schemas by number', () => {
  refuses({ schemaVersion: 1, fsLayers: [] }, 'UNSUPPORTED_MEDIA_TYPE', /schema 1/);
  refuses(manifest, 'UNSUPPORTED_MEDIA_TYPE', /schema 1/, mediaTypes.dockerSchema1Signed);
  refuses({ ...manifest, schemaVersion: 3 }, 'INVALID_MANIFEST', /schema version 3/);
  refuses({ ...manifest, schemaVersion: '2' }, 'INVALID_MANIFEST', /document.schemaVersion/);
});

test('broken documents are refused with the place of the fault', () => {
  refuses(Buffer.from('{'), 'INVALID_MANIFEST', /expected JSON/);
  refuses(Buffer.from([0x7b, 0xff, 0x7d]), 'INVALID_MANIFEST', /not UTF-8/);
  refuses([], 'INVALID_MANIFEST', /expected an object/);
  refuses({ ...manifest, layers: [{ ...layer, digest: 'sha256:xyz' }] }, 'INVALID_MANIFEST', /layers\[0\]\.digest/);
  refuses({ ...manifest, layers: [{ ...layer, digest: 'sha256:../../x' }] }, 'INVALID_MANIFEST', /digest/);
  refuses({ ...manifest, layers: [{ ...layer, size: -1 }] }, 'INVALID_MANIFEST', /layers\[0\]\.size/);
  refuses({ ...manifest, layers: [{ ...layer, size: 1e300 }] }, 'INVALID_MANIFEST', /layers\[0\]\.size/);
  refuses({ ...manifest, config: undefined }, 'INVALID_MANIFEST', /document\.config/);
  refuses({ ...index, mediaType: undefined, manifests: {} }, 'INVALID_MANIFEST', /manifests: expected an array/);
  refuses({ ...manifest, layers: Array(limits.layers + 1).fill(layer) }, 'INVALID_MANIFEST', /at most 512/);
  refuses({ ...index, manifests: Array(limits.indexEntries + 1).fill(layer) }, 'INVALID_MANIFEST', /at most 1024/);
  const odd = descriptor(mediaTypes.ociManifest, { platform: { os: 'linux\u001b[2J', architecture: 'amd64' } });
  refuses({ ...index, manifests: [odd] }, 'INVALID_MANIFEST', /platform\.os/);
  refuses(new Uint8Array(limits.manifestBytes + 1), 'TOO_LARGE', /larger than/);
  refuses(Buffer.from('['.repeat(100_000)), 'INVALID_MANIFEST', /expected JSON/);
});

test('artifacts that are no images are refused', () => {
  const chart = decodeManifest(
    bytesOf({ ...manifest, config: descriptor('application/vnd.cncf.helm.config.v1+json') }),
    undefined,
    'm',
  );
  assert.throws(() => requireImage(chart, 'm'), /m, config: media type application\/vnd.cncf.helm.config.v1\+json/);
  const oddLayer = decodeManifest(bytesOf({ ...manifest, layers: [descriptor('text/html')] }), undefined, 'm');
  assert.throws(() => requireImage(oddLayer, 'm'), /m, layer 0: media type text\/html/);
});
