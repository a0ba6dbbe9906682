import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { file } from '../helpers/busybox-layer.js';
import { compileProbe } from '../helpers/compile-probe.js';
import { openEngineLab } from '../helpers/engine-lab.js';

// CVE-2016-9962: a process on its way into a container still has the host in its hands, and those inside could take it.
test('a process that joins a container cannot be looked into before it is its program', async () => {
  await using lab = await openEngineLab();
  const image = lab.image([file('probe', await compileProbe('attack-probe'), 0o755)]);
  const container = await lab.engine.containers.create({ image, command: ['sleep', '1000'], network: 'none' });
  await container.start();
  const watcher = await container.spawn(['/probe', 'watch']);
  assert.ok(watcher.stdout !== undefined);
  const lines: string[] = [];
  const reader = createInterface({ input: watcher.stdout });
  reader.on('line', (line) => lines.push(line));
  await new Promise((resolve) => reader.once('line', resolve));
  for (let count = 0; count < 200; count += 1) assert.equal((await container.exec(['true'])).exitCode, 0);

  const honest = await container.exec(['sh', '-c', 'sleep 100 & ls /proc/$!/fd | wc -l; kill $!']);
  assert.equal(honest.stdout, '3\n', 'programs of the container see each other');
  watcher.kill('SIGTERM');
  await watcher.wait();
  const [, seen = '0', broken] = /^seen (\d+) broken (\d+)$/.exec(lines.at(-1) ?? '') ?? [];
  assert.ok(Number(seen) > 0, 'the watcher has seen processes on their way');
  assert.equal(broken, '0');
  await container.remove({ force: true });
});
