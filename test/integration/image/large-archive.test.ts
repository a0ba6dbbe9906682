import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEngineLab } from '../../helpers/engine-lab.js';
import { tarEnd, tarHeader } from '../../helpers/tar-builder.js';
import { watchTurns } from '../../helpers/watch-turns.js';

const mebibyte = 1024 * 1024;
const files = 20;

/** 200 MiB that do not compress. */
async function* largeRoot(): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < files; index += 1) {
    yield tarHeader({ name: `file-${index}`, size: 10 * mebibyte });
    for (let part = 0; part < 40; part += 1) {
      const bytes = Buffer.allocUnsafeSlow(mebibyte / 4);
      yield randomFillSync(bytes);
    }
  }
  yield tarEnd();
}

test('an image of 200 MiB is imported, saved and loaded with little memory and a free event loop', async (context) => {
  await using lab = await openEngineLab();
  const file = join(lab.directory, 'large.tar');
  const hash = createHash('sha256');
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const bytes of largeRoot()) {
      hash.update(bytes);
      yield bytes;
    }
  }
  const memory = process.memoryUsage.rss();
  let most = 0;
  const sampler = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss() - memory);
  }, 20);
  try {
    const { images } = lab.engine;
    const { layers, id } = await images.import(counted(), { name: 'large' });
    assert.deepEqual(layers, [`sha256:${hash.digest('hex')}`]);
    const saving = watchTurns();
    await images.save('large', file);
    const saveMs = saving.longestMs();
    await images.remove('large');
    const loading = watchTurns();
    const [image] = await images.load(file);
    const loadMs = loading.longestMs();
    assert.equal(image?.id, id);
    assert.ok((await stat(file)).size > files * 10 * mebibyte);
    context.diagnostic(`longest turns: save ${saveMs.toFixed(1)} ms, load ${loadMs.toFixed(1)} ms, ${most} bytes`);
    assert.ok(saveMs < 10, `a turn of ${saveMs} ms while saving`);
    assert.ok(loadMs < 10, `a turn of ${loadMs} ms while loading`);
    assert.ok(most < 150 * mebibyte, `${most} bytes`);
  } finally {
    clearInterval(sampler);
  }
});
