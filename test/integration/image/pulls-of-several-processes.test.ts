import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { digestOf } from '#lib/core/digest.js';
import { openEngineLab } from '../../helpers/engine-lab.js';
import { publishImage } from '../../helpers/publish-image.js';
import { runProgram } from '../../helpers/run-program.js';
import { slowBlob } from '../../helpers/slow-blob.js';
import { tarOf } from '../../helpers/tar-builder.js';

const program = fileURLToPath(new URL('../../helpers/pull-process.js', import.meta.url));

test('processes that pull one image at once fetch each blob once, and all get it', async () => {
  await using lab = await openEngineLab();
  const layers = ['a', 'b', 'c'].map((name) => tarOf({ name, content: Buffer.alloc(300_000, name) }));
  const reference = publishImage(lab.registry, 'shared/image', { layers });
  // Slow enough that every process meets the others' downloads.
  for (const layer of layers) {
    lab.registry.script(`/v2/shared/image/blobs/${digestOf(layer)}`, slowBlob(layer, 100));
  }
  const results = await Promise.all(
    [1, 2, 3].map(() => runProgram(process.execPath, [program, JSON.stringify(lab.options), reference])),
  );
  const ids = results.map(({ exitCode, stdout, stderr }) => {
    assert.equal(exitCode, 0, stderr);
    return stdout.trim().split('\n').at(-1);
  });
  assert.equal((await lab.engine.images.get(reference)).id, ids[0]);
  assert.equal(new Set(ids).size, 1);
  const fetched = lab.registry.seen.filter(({ path }) => path.includes('/blobs/')).map(({ path }) => path);
  assert.equal(fetched.length, new Set(fetched).size, 'no blob twice');
  assert.equal(fetched.length, layers.length + 1, 'the configuration and the layers');
});
