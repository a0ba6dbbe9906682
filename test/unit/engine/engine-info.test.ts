import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoryCgroups } from '#lib/runtime/cgroup/memory/memory-cgroups.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';

test('info tells what is here, by state, and what the host lacks', async (context) => {
  const cgroups = new MemoryCgroups({ controllers: ['pids', 'memory'] });
  const { create, engine, root } = await openMemoryLab(context, { cgroups });
  await create(['hang']);
  const running = await create(['hang']);
  await running.start();
  const exited = await create(['exit', '1']);
  await exited.start();
  await exited.wait();
  const broken = await create(['hang'], { lifetime: 'detached' });
  writeFileSync(join(root, 'containers', broken.id, 'record.json'), 'nonsense');
  await engine.images.tag('test', 'again');
  const info = await engine.info();
  const expected = { created: 1, running: 1, paused: 0, restarting: 0, exited: 1, damaged: 1, total: 4 };
  assert.deepEqual(info.containers, expected);
  assert.deepEqual([info.images, info.root, info.runRoot], [1, root, join(root, 'run')]);
  assert.deepEqual(info.networks, ['bridge', 'host', 'none']);
  assert.deepEqual([...info.cgroups.controllers].sort(), ['memory', 'pids']);
  assert.ok(info.warnings.includes('processor time cannot be limited'), info.warnings.join());
  assert.ok(!info.warnings.includes('memory cannot be limited'));
  assert.ok(info.host.memoryBytes > 2 ** 20 && info.host.processors >= 1 && info.host.operatingSystem.length > 0);
  await engine.containers.remove(broken.id);
});

test('version tells the package and the kernel', async (context) => {
  const { engine } = await openMemoryLab(context);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const told = engine.version();
  assert.deepEqual([told.version, told.kernelVersion, told.os], [version, release(), 'linux']);
  assert.equal((await engine.info()).version, version);
});

test('disk usage of containers is what they have written and logged, and what a prune would free', async (context) => {
  const { create, engine, root } = await openMemoryLab(context);
  const idle = await create(['hang'], { name: 'idle' });
  const busy = await create(['hang'], { name: 'busy' });
  await busy.start();
  writeFileSync(join(root, 'containers', idle.id, 'log.0'), Buffer.alloc(300_000));
  const { containers } = await engine.diskUsage();
  const sizes = Object.fromEntries(containers.containers.map(({ name, sizeBytes }) => [name, sizeBytes]));
  assert.ok((sizes['idle'] ?? 0) >= 300_000 && (sizes['idle'] ?? 0) < 400_000, JSON.stringify(sizes));
  assert.equal(containers.sizeBytes, (sizes['idle'] ?? 0) + (sizes['busy'] ?? 0));
  assert.equal(containers.reclaimableBytes, sizes['idle']);
  assert.equal((await engine.containers.prune()).freedBytes, sizes['idle']);
});
