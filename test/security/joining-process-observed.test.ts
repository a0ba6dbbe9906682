import assert from 'node:assert/strict';
import { test } from 'node:test';
import { file } from '../helpers/busybox-layer.js';
import { compileProbe } from '../helpers/compile-probe.js';
import { openEngineLab } from '../helpers/engine-lab.js';

// CVE-2016-9962: a process on its way into a container still has the host in its hands, and those inside could take it.
test('the first process of a container cannot look into a joining one before it is its program', async () => {
  await using lab = await openEngineLab();
  const image = lab.image([file('probe', await compileProbe('attack-probe'), 0o755)]);
  const container = await lab.engine.containers.create({ image, command: ['/probe', 'watch'], network: 'none' });
  await container.start();
  for await (const line of container.logs({ follow: true })) if (line.text === 'ready') break;
  for (let count = 0; count < 1000; count += 1) assert.equal((await container.exec(['true'])).exitCode, 0);

  const honest = await container.exec(['sh', '-c', 'sleep 100 & ls /proc/$!/fd | wc -l; kill $!']);
  assert.equal(honest.stdout, '3\n', 'programs of the container see each other');
  await container.kill('SIGTERM');
  assert.equal((await container.wait()).exitCode, 0);
  const lines: string[] = [];
  for await (const line of container.logs()) lines.push(line.text);
  const [, seen = '0', broken] = /^seen (\d+) broken (\d+)$/.exec(lines.at(-1) ?? '') ?? [];
  assert.ok(Number(seen) > 0, 'the watcher has seen processes on their way');
  assert.equal(broken, '0');
});
