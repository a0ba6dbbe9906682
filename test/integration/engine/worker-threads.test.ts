import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Engine } from 'tscontainer';
import { openEngineLab } from '../../helpers/engine-lab.js';

const program = fileURLToPath(new URL('../../helpers/threads-program.js', import.meta.url));

test('engines of threads share a root; the end of one thread ends its containers and nobody else’s', async () => {
  await using lab = await openEngineLab();
  const image = lab.image();
  await lab.engine.images.pull(image);
  const words = [program, JSON.stringify(lab.options), image];
  const { stdout } = await promisify(execFile)(process.execPath, words, { timeout: 60_000 });
  assert.deepEqual(JSON.parse(stdout), {
    codes: [Array(5).fill(0), Array(5).fill(1), Array(5).fill(2)],
    running: ['0 running', '1 running', '2 running'],
    terminated: ['0 exited', '1 running', '2 running'],
    closed: ['0 exited'],
    warnings: [],
  });
  await using _next = await Engine.open(lab.options); // the owner of the container that is left has gone
  assert.deepEqual(await lab.engine.containers.list(), []);
});
