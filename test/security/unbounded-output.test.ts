import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngineLab } from '../helpers/engine-lab.js';
import { rejection } from '../helpers/rejection.js';

const offline = { network: 'none' } as const;

// CVE-2022-1708, CVE-2022-31030: output of a container that the engine keeps in its memory.
test('endless output ends the process and not the memory', async () => {
  await using lab = await openEngineLab();
  const image = lab.image();
  const container = await lab.engine.containers.create({ image, command: ['sleep', '1000'], ...offline });
  await container.start();
  const maxOutputBytes = 1024 * 1024;
  const before = process.memoryUsage.rss();
  for (const redirect of ['', ' >&2']) {
    const endless = ['sh', '-c', `exec yes${redirect}`];
    const expected = { stream: redirect === '' ? 'stdout' : 'stderr', maxBytes: maxOutputBytes };
    const executed = await rejection(container.exec(endless, { maxOutputBytes }), 'OUTPUT_TOO_LARGE');
    assert.deepEqual(executed.data, expected);
    const run = await rejection(lab.engine.run(image, endless, { ...offline, maxOutputBytes }), 'OUTPUT_TOO_LARGE');
    assert.deepEqual(run.data, expected);
  }
  await rejection(container.exec(['yes']), 'OUTPUT_TOO_LARGE');
  assert.ok(process.memoryUsage.rss() - before < 128 * 1024 * 1024);
  assert.equal((await container.exec(['sh', '-c', 'ps | grep -c "[y]es"; true'])).stdout, '0\n', 'none goes on');

  const most = ['sh', '-c', `yes | head -c ${maxOutputBytes}`];
  assert.equal((await container.exec(most, { maxOutputBytes })).stdoutBytes.length, maxOutputBytes);
  await container.remove({ force: true });
});
