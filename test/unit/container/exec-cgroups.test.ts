import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execProcess } from '#lib/container/exec-process.js';
import { createCgroupManager } from '#lib/runtime/cgroup/create-cgroup-manager.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';

test('a further process joins every group of its container, that of its processors too', async (context) => {
  const { create, services, launcher } = await openMemoryLab(context);
  const hierarchies = { memory: '/cg/memory', pids: '/cg/pids', cpuset: '/cg/cpuset' };
  const cpuset = { cpus: '0-1', mems: '0' };
  const cgroups = createCgroupManager(
    { version: 'v1', hierarchies, swap: true, cpuset, hybrid: false, blockWeightFiles: [] },
    {},
  );
  const container = await create(['hang']);
  await container.start();
  const record = await services.containers.records.resolve(container.id);
  const limited = { ...record, config: { ...record.config, resources: { cpusetCpus: '0' } } };
  const process = await execProcess({ ...services.containers, cgroups }, limited, ['exit', '0']);
  await process.exited;
  const joined = launcher.launches
    .at(-1)
    ?.plan.prepare.flatMap((each) => (each.op === 'join-cgroup' ? [each.path] : []));
  assert.deepEqual(joined?.map((path) => path.split('/')[2]).sort(), ['cpuset', 'memory', 'pids']);
  assert.ok(joined?.every((path) => path.endsWith(container.id)));
});
