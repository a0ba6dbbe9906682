import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Engine } from 'tscontainer';
import { openEngineLab } from '../../helpers/engine-lab.js';
import type { ImageWork } from '../../helpers/image-worker.js';
import { runProgram } from '../../helpers/run-program.js';

const program = fileURLToPath(new URL('../../helpers/image-worker.js', import.meta.url));

test('processes that pull, run, name, remove and prune at random break nothing for each other', async (context) => {
  await using lab = await openEngineLab();
  const references = ['one', 'two', 'three'].map((name) => lab.image([{ name: 'name', content: name }]));
  const results = await Promise.all(
    [1, 2, 3].map((seed) => {
      const work: ImageWork = { options: lab.options, seed, rounds: 60, references };
      return runProgram(process.execPath, [program, JSON.stringify(work)]);
    }),
  );
  for (const { exitCode, stdout, stderr } of results) {
    context.diagnostic(stdout.trim());
    assert.equal(exitCode, 0, stderr);
    const done = JSON.parse(stdout) as Record<string, number>;
    for (const kind of ['pull', 'run', 'tag', 'prune', 'usage']) assert.ok((done[kind] ?? 0) > 0, kind);
  }
  for (const reference of references) {
    assert.match((await lab.engine.run(reference, ['cat', '/name'], { network: 'none' })).stdout, /^(one|two|three)$/);
  }
  await lab.engine.images.prune({ all: true });
  assert.deepEqual(await lab.engine.images.list(), []);
  const { root } = lab.options;
  for (const empty of ['content/blobs/sha256', 'content/ingest', 'layers/layers', 'layers/tmp', 'images']) {
    assert.deepEqual(await readdir(join(root, empty)), [], empty);
  }
});

test('an image that a container of another process runs is not removed; forced, its layers stay while it runs', async () => {
  await using lab = await openEngineLab();
  const reference = lab.image();
  const container = await lab.engine.containers.create({
    image: reference,
    command: ['sleep', '1000'],
    network: 'none',
  });
  await container.start();
  await using other = await Engine.open(lab.options);
  await assert.rejects(other.images.remove(reference), { code: 'IMAGE_IN_USE', kind: 'conflict' });
  assert.equal((await other.images.remove(reference, { force: true })).deleted, undefined);
  await other.images.prune({ all: true });
  assert.equal((await container.exec(['ls', '/bin'])).exitCode, 0);
  await container.stop({ timeoutMs: 0 });
  await container.start();
  await container.remove({ force: true });
  const { freedBytes } = await other.images.prune();
  assert.ok(freedBytes > 0);
  assert.deepEqual(await readdir(join(lab.options.root, 'layers/layers')), []);
});
