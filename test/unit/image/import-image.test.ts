import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestOf } from '#lib/core/digest.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';
import { tarOf } from '../../helpers/tar-builder.js';
import { storedFrame } from '../../helpers/zstd-frames.js';

const root = tarOf({ name: 'bin/sh', content: 'shell' });

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

test('a root file system becomes an image of one layer, stored as it came', async (context) => {
  const { engine, content } = await openMemoryLab(context);
  for (const bytes of [root, gzipSync(root), storedFrame(root)]) {
    const image = await engine.images.import(streamOf(bytes), { name: 'mine', message: 'hello' });
    assert.deepEqual(image.layers, [digestOf(root)]);
    assert.equal((await content.stat(digestOf(bytes)))?.size, bytes.length);
    const inspection = await engine.images.inspect('mine');
    assert.deepEqual([inspection.repoTags, inspection.comment, inspection.sizeBytes], [['mine:latest'], 'hello', 5]);
    assert.ok(Math.abs(Date.now() - (inspection.created?.getTime() ?? 0)) < 60_000);
  }
});

test('changes are applied, and a container runs with them', async (context) => {
  const { engine } = await openMemoryLab(context);
  const image = await engine.images.import(streamOf(root), { changes: ['CMD ["hang"]', 'ENV A=1', 'USER 5'] });
  assert.deepEqual([image.names, image.config], [[], { Cmd: ['hang'], Env: ['A=1'], User: '5' }]);
  const container = await engine.containers.create({ image: image.id });
  await container.start();
  assert.equal(container.status, 'running');
});

test('an image of another platform is one', async (context) => {
  const { engine } = await openMemoryLab(context);
  const image = await engine.images.import(streamOf(root), { platform: 'linux/riscv64' });
  assert.deepEqual(image.platform, { os: 'linux', architecture: 'riscv64' });
});

test('what is refused leaves nothing', async (context) => {
  const { engine, content } = await openMemoryLab(context);
  const cut = gzipSync(root).subarray(0, 40);
  await rejection(engine.images.import(streamOf(cut)), 'INVALID_LAYER');
  await rejection(engine.images.import(streamOf(root.subarray(0, 700))), 'INVALID_LAYER');
  await rejection(engine.images.import(streamOf(root), { changes: ['RUN x'] }), 'INVALID_OPTION');
  await rejection(engine.images.import(streamOf(root), { platform: 'a/b/c/d' }), 'INVALID_OPTION');
  await rejection(engine.images.import(streamOf(root), { name: `x@${digestOf('x')}` }), 'INVALID_REFERENCE');
  const missing = await rejection(engine.images.import('/nowhere/root.tar'), 'SYSTEM_CALL_FAILED');
  assert.deepEqual([missing.data.errno, missing.data.operand], ['ENOENT', '/nowhere/root.tar']);
  const failure = new Error('unplugged');
  const failing = (async function* () {
    yield root.subarray(0, 600);
    throw failure;
  })();
  await assert.rejects(engine.images.import(failing), (error) => error === failure);
  assert.deepEqual(await engine.images.list(), []);
  for await (const { digest } of content.list()) assert.fail(`${digest} is left`);
});
