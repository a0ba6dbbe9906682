import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { MemoryCgroups } from '#lib/runtime/cgroup/memory/memory-cgroups.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

test('top tells of each process what the kernel knows', async (context) => {
  const startedAt = Date.now();
  const child = spawn('/bin/sh', ['-c', 'echo ready; read line', 'a name\nwith a break', 'x'.repeat(10_000)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  context.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const cgroups = new MemoryCgroups({ processes: () => [child.pid ?? 0, 2 ** 22 + 1] });
  const { create } = await openMemoryLab(context, { cgroups });
  const container = await create(['hang']);
  await container.start();
  const [found, ...others] = await container.top();
  assert.deepEqual(others, [], 'a number without a process is none');
  assert.ok(found !== undefined);
  assert.deepEqual([found.pid, found.containerPid, found.parentPid], [child.pid, child.pid, process.pid]);
  assert.deepEqual(found.command.slice(0, 4), ['/bin/sh', '-c', 'echo ready; read line', 'a name\nwith a break']);
  assert.equal(found.command.join('\0').length, 4096, 'what is longer is cut');
  assert.deepEqual([found.uid, found.gid, found.threads], [process.geteuid?.(), process.getegid?.(), 1]);
  assert.equal(found.state, 'S');
  assert.ok(found.residentBytes > 0 && found.cpuMs >= 0);
  assert.ok(Math.abs(found.startedAt.getTime() - startedAt) < 5000, String(found.startedAt));
});

test('top is for what runs or is paused', async (context) => {
  const { create } = await openMemoryLab(context);
  const container = await create(['hang']);
  assert.equal((await rejection(container.top(), 'WRONG_STATE')).data.status, 'created');
  await container.start();
  await container.pause();
  assert.deepEqual(
    (await container.top()).map(({ pid }) => pid),
    [process.pid],
  );
  await assert.rejects(container.top({ signal: AbortSignal.abort(new Error('no')) }), /no/);
  await container.stop({ timeoutMs: 0 });
  await rejection(container.top(), 'WRONG_STATE');
});
