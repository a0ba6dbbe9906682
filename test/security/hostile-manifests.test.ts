// CVE-2021-21285, CVE-2017-14992, CVE-2023-25153: a registry makes its client use up memory or time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError, type ErrorCode } from '#lib/core/errors/engine-error.js';
import { limits } from '#lib/core/limits.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { reply, type Step } from '../helpers/fake-registry.js';
import { watchStalls } from '../helpers/longest-stall.js';
import { clientFixture } from '../helpers/registry-client-fixture.js';
import { rejection } from '../helpers/rejection.js';

const mebibyte = 1024 * 1024;
const json = (text: string): Step => reply(200, { 'content-type': mediaTypes.ociManifest }, text);

/** Sends without end, until the client has gone. */
const endless =
  (chunk: Buffer): Step =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': mediaTypes.ociManifest });
    const send = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', send);
    };
    send();
  };

const attacks: readonly { readonly name: string; readonly step: Step; readonly code: ErrorCode }[] = [
  { name: 'a manifest without end', step: endless(Buffer.alloc(mebibyte, ' ')), code: 'TOO_LARGE' },
  {
    name: 'a manifest that says to be of 10 GB',
    step: (_request, response) => void response.writeHead(200, { 'content-length': String(1e10) }).write('{'),
    code: 'TOO_LARGE',
  },
  { name: 'a million values', step: json(`[${'{"a":[1,2]},'.repeat(300_000)}1]`), code: 'INVALID_MANIFEST' },
  { name: 'a million levels', step: json('['.repeat(1_000_000)), code: 'INVALID_MANIFEST' },
  {
    name: 'levels within what is allowed',
    step: json(`{"a":${'['.repeat(150_000)}${']'.repeat(150_000)}}`),
    code: 'INVALID_MANIFEST',
  },
  { name: 'a string of quotes', step: json(`["${'\\"'.repeat(1_000_000)}"]`), code: 'INVALID_MANIFEST' },
  {
    name: 'headers of a megabyte',
    step: (_request, response) => void response.socket?.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(mebibyte)}\r\n\r\n`),
    code: 'REGISTRY_UNREACHABLE',
  },
  {
    name: 'ten thousand headers',
    step: (_request, response) => void response.socket?.end(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(10_000)}\r\n`),
    code: 'REGISTRY_UNREACHABLE',
  },
  {
    name: 'more layers than an image can have',
    step: json(
      JSON.stringify({
        schemaVersion: 2,
        config: { mediaType: mediaTypes.ociConfig, digest: `sha256:${'0'.repeat(64)}`, size: 2 },
        layers: Array.from({ length: limits.layers + 1 }, () => ({
          mediaType: mediaTypes.ociLayer,
          digest: `sha256:${'0'.repeat(64)}`,
          size: 1,
        })),
      }),
    ),
    code: 'INVALID_MANIFEST',
  },
];

for (const { name, step, code } of attacks) {
  test(`${name}: refused in little time and memory`, async () => {
    await using f = await clientFixture({ retries: 0 });
    f.registry.script(f.manifestPath, step);
    const memory = process.memoryUsage.rss();
    const started = performance.now();
    await rejection(f.client.fetchManifest(f.reference), code);
    assert.ok(performance.now() - started < 3000);
    assert.ok(process.memoryUsage.rss() - memory < 100 * mebibyte);
    f.registry.script(f.manifestPath, f.sendManifest);
    assert.ok((await f.client.fetchManifest(f.reference)).bytes.byteLength > 0, 'the honest twin');
  });
}

test('a manifest of four megabytes, as registries must take it, is read', async () => {
  await using f = await clientFixture();
  const annotations = Object.fromEntries(
    Array.from({ length: 390 }, (_, at) => [`annotation-${at}`, 'A'.repeat(10_000)]),
  );
  f.registry.script(f.manifestPath, json(JSON.stringify({ ...JSON.parse(f.manifest.toString()), annotations })));
  assert.ok((await f.client.fetchManifest(f.reference)).bytes.byteLength > 3_900_000);
});

test('a hostile manifest does not hold up the event loop', async () => {
  await using f = await clientFixture({ retries: 0 });
  f.registry.script(f.manifestPath, json(`[${'{"a":[1,2]},'.repeat(300_000)}1]`));
  await f.client.fetchManifest(f.reference).catch((error: unknown) => assert.ok(EngineError.is(error)));
  const watch = watchStalls();
  await rejection(f.client.fetchManifest(f.reference), 'INVALID_MANIFEST');
  // The server of this test sends and the client reads four megabytes in this same loop.
  const stall = watch.stop();
  assert.ok(stall < 60, `${stall} ms`);
});
