import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { createGzip } from 'node:zlib';
import type { Digest } from '#lib/core/digest.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { openOverlayLayerStore } from '#lib/layers/overlay/overlay-layer-store.js';
import { runShim } from '#lib/layers/shim/run-shim.js';
import { flockLock } from '../../helpers/flock-lock.js';
import { layerOf, shimPath, withDirectory } from '../../helpers/layer-fixtures.js';
import { tarEnd, tarMember, tarOf } from '../../helpers/tar-builder.js';
import { watchTurns } from '../../helpers/watch-turns.js';

const mebibyte = 1024 * 1024;

/** 300 files of 1 MiB that compress about 2:1. */
function* largeArchive(): Generator<Buffer> {
  for (let index = 0; index < 300; index++) {
    const content = randomFillSync(Buffer.alloc(mebibyte), 0, mebibyte / 2);
    yield tarMember({ name: `d${index % 10}/f${index}`, content });
  }
  yield tarEnd();
}

test('unpacking a compressed layer of 300 MB leaves the event loop free', () =>
  withDirectory(async (directory) => {
    const file = join(directory, 'layer.tgz');
    const hash = createHash('sha256');
    async function* archive(): AsyncGenerator<Buffer> {
      for (const part of largeArchive()) {
        hash.update(part);
        yield part;
      }
    }
    await pipeline(archive, createGzip({ level: 1 }), createWriteStream(file));
    const store = await openOverlayLayerStore({
      directory: join(directory, 'store'),
      shimPath,
      acquireLock: flockLock,
      sync: false,
    });
    const diffId = `sha256:${hash.digest('hex')}` as Digest;
    const turns = watchTurns();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    await store.apply([{ diffId, open: () => createReadStream(file, { highWaterMark: 256 * 1024 }) }]);
    delay.disable();
    const longestMs = turns.longestMs();
    assert.ok(longestMs < 10, `a turn of ${longestMs} ms`);
    assert.ok(delay.percentile(50) / 1e6 < 10, `half of the turns within ${delay.percentile(50) / 1e6} ms`);
    assert.equal((await store.usage([diffId])).sizeBytes, 300 * mebibyte);
  }));

test('several layers unpack at once, no more than allowed', () =>
  withDirectory(async (directory) => {
    const store = await openOverlayLayerStore({
      directory: join(directory, 'store'),
      shimPath,
      acquireLock: flockLock,
      sync: false,
      parallel: 3,
    });
    let open = 0;
    let most = 0;
    let release: () => void = () => undefined;
    const threeAreOpen = new Promise<void>((resolve) => {
      release = resolve;
    });
    const layers = Array.from({ length: 8 }, (_, index) => {
      const layer = layerOf(tarOf({ name: `f${index}`, content: Buffer.alloc(mebibyte, `${index}`) }));
      return {
        diffId: layer.diffId,
        open: async function* () {
          open += 1;
          most = Math.max(most, open);
          if (open === 3) release();
          await threeAreOpen;
          yield* layer.open();
          open -= 1;
        },
      };
    });
    await store.apply(layers);
    assert.equal(most, 3);
  }));

test('a full disk is NO_SPACE and leaves nothing', () =>
  withDirectory(async (directory) => {
    // A file system of 1 MiB in a mount namespace that ends with its command.
    const script = `
      import { readdir } from 'node:fs/promises';
      const [storeUrl, lockUrl, fixturesUrl, builderUrl, directory] = process.argv.slice(1);
      const { openOverlayLayerStore } = await import(storeUrl);
      const { flockLock } = await import(lockUrl);
      const { layerOf, shimPath } = await import(fixturesUrl);
      const { tarOf } = await import(builderUrl);
      const store = await openOverlayLayerStore({ directory, shimPath, acquireLock: flockLock, sync: false });
      const code = await store.apply([layerOf(tarOf({ name: 'f', content: Buffer.alloc(3_000_000) }))]).then(() => 'applied', (error) => error.code);
      await store.apply([layerOf(tarOf({ name: 'f', content: 'small' }))]);
      process.stdout.write(code + ' ' + (await readdir(directory + '/tmp')).length);
    `;
    const url = (path: string): string => new URL(`../../helpers/${path}`, import.meta.url).href;
    const storeUrl = import.meta.resolve('#lib/layers/overlay/overlay-layer-store.js');
    const urls = [storeUrl, url('flock-lock.js'), url('layer-fixtures.js'), url('tar-builder.js')];
    const command = 'mount -t tmpfs -o size=1m none "$1" && shift && exec "$@"';
    const args = ['-m', 'sh', '-c', command, 'sh', directory, process.execPath, '--input-type=module', '-e', script];
    const child = spawn('unshare', [...args, ...urls, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    await once(child, 'close');
    assert.equal(text, 'NO_SPACE 0');
  }));

test('a missing shim is named', () =>
  withDirectory(async (directory) => {
    const missing = join(directory, 'no-shim');
    await assert.rejects(
      runShim(missing, ['unpack', directory]),
      (error) => EngineError.is(error, 'SHIM_MISSING') && error.data.searched[0] === missing,
    );
  }));

test('the shim dies with the process that started it', () =>
  withDirectory(async (directory) => {
    const tree = join(directory, 'fs');
    await mkdir(tree);
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.argv[1], ['unpack', process.argv[2]], { stdio: ['pipe', 'ignore', 'ignore', 'pipe'] });
      child.stdin.write(Buffer.alloc(512, 0));
      process.stdout.write(String(child.pid));
      setInterval(() => {}, 1000);
    `;
    const owner = spawn(process.execPath, ['-e', script, shimPath, tree], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [pid] = (await once(owner.stdout, 'data')) as [Buffer];
    owner.kill('SIGKILL');
    await once(owner, 'close');
    for (;;) {
      try {
        process.kill(Number(pid.toString()), 0);
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
        break;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }));

test('trees of any depth, mode and name are removed', () =>
  withDirectory(async (directory) => {
    const make = `
import os, sys
os.chdir(sys.argv[1])
os.mkdir('tree'); os.chdir('tree')
open(b'odd\\xff', 'w').close()
os.mkdir('shut', 0)
for depth in range(1500):
    os.mkdir('d' * 50); open('f', 'w').close(); os.chdir('d' * 50)
`;
    const child = spawn('python3', ['-c', make, directory], { stdio: 'inherit' });
    assert.deepEqual(await once(child, 'close'), [0, null]);
    const report = await runShim(shimPath, ['remove-tree', join(directory, 'tree')]);
    assert.equal(report.failure, undefined, JSON.stringify(report.failure));
    assert.deepEqual(await readdir(directory), []);
  }));
