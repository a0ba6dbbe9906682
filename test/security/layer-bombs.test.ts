import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createGzip } from 'node:zlib';
import { digestOf } from '#lib/core/digest.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { openOverlayLayerStore } from '#lib/layers/overlay/overlay-layer-store.js';
import { flockLock } from '../helpers/flock-lock.js';
import { layerOf, shimPath, withDirectory } from '../helpers/layer-fixtures.js';
import { tarHeader, tarOf } from '../helpers/tar-builder.js';

const mebibyte = 1024 * 1024;

/** A gzip stream of a file of `size` zeros. */
async function* bomb(size: number): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({ level: 1 });
  gzip.write(tarHeader({ name: 'zeros', size }));
  const zeros = Buffer.alloc(mebibyte);
  for (let done = 0; done < size; done += zeros.length) {
    gzip.write(zeros);
    for (let chunk = gzip.read(); chunk !== null; chunk = gzip.read()) yield chunk;
  }
  gzip.end();
  yield* gzip;
}

const open = (directory: string, bounds: object) =>
  openOverlayLayerStore({ directory: join(directory, 'store'), shimPath, acquireLock: flockLock, sync: false, bounds });

test('a gzip bomb ends at the bound, with little memory and nothing left on the disk', () =>
  withDirectory(async (directory) => {
    const store = await open(directory, { maxBytes: 64 * mebibyte });
    const source = { diffId: digestOf('x'), open: () => bomb(1024 * mebibyte) };
    const before = process.memoryUsage.rss();
    await assert.rejects(store.apply([source]), (error) => EngineError.is(error, 'TOO_LARGE'));
    assert.ok(process.memoryUsage.rss() - before < 200 * mebibyte);
    assert.deepEqual(await readdir(join(directory, 'store/tmp')), []);
    assert.deepEqual(await readdir(join(directory, 'store/layers')), []);
  }));

test('a suspicious ratio ends before the bound of bytes', () =>
  withDirectory(async (directory) => {
    const store = await open(directory, { maxRatio: 50, ratioFreeBytes: 8 * mebibyte });
    const source = { diffId: digestOf('x'), open: () => bomb(512 * mebibyte) };
    await assert.rejects(store.apply([source]), (error) => EngineError.is(error, 'TOO_LARGE'));
  }));

test('a large honest layer is taken', () =>
  withDirectory(async (directory) => {
    const store = await open(directory, { maxBytes: 64 * mebibyte });
    await store.apply([layerOf(tarOf({ name: 'f', content: Buffer.alloc(60 * mebibyte, 'x') }))]);
  }));
