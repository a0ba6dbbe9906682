import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { CgroupPlan } from '#lib/runtime/cgroup/cgroup.js';
import { fsCgroupFileAccess } from '#lib/runtime/cgroup/fs-cgroup-file-access.js';
import { readCgroupStats } from '#lib/runtime/cgroup/read-cgroup-stats.js';
import { cgroupParent, joinLines, killAll, makeGroup } from '../../helpers/host-cgroup.js';
import { type ProgramResult, runProgram } from '../../helpers/run-program.js';

const MiB = 1024 * 1024;
const cpusetV1 = '/sys/fs/cgroup/cpuset';

/** Runs a shell script that has put itself into the group before anything else. */
function runInside(plan: CgroupPlan, script: string): Promise<ProgramResult> {
  const moves = joinLines(plan);
  return runProgram('/bin/sh', ['-c', `${moves}\nexec sh -c "$0"`, script]);
}

const stats = (plan: CgroupPlan) => readCgroupStats(plan.files, fsCgroupFileAccess.readText);

test('a program beyond its memory limit is killed and counted', async (context) => {
  const plan = await makeGroup(context, 'memory', { memory: 32 * MiB, memorySwap: 32 * MiB });
  // One process: of two, the kernel may kill both before the memory of the first is free.
  const run = await runInside(plan, 'exec tail /dev/zero');
  assert.notEqual(run.exitCode, 99, run.stderr);
  const { memory, cpu, pids } = await stats(plan);
  assert.equal(memory?.oomKills, 1);
  assert.ok(cpu !== undefined && cpu.usageMs > 0);
  assert.equal(pids?.current, 0);
});

test('a program within its memory limit ends well', async (context) => {
  const plan = await makeGroup(context, 'memory-honest', { memory: 64 * MiB });
  const run = await runInside(plan, 'head -c 8m /dev/zero | tail | wc -c');
  assert.equal(run.stdout.trim(), String(8 * MiB));
  assert.equal((await stats(plan)).memory?.oomKills, 0);
});

test('the limit on processes holds', async (context) => {
  const plan = await makeGroup(context, 'pids', { pidsLimit: 3 });
  const run = await runInside(plan, 'for i in 1 2 3 4; do sleep 30 > /dev/null 2>&1 & done');
  assert.match(run.stdout + run.stderr, /fork|Resource temporarily unavailable/);
  await killAll(plan); // dash gives up at the failed fork and leaves what it has started
});

test('only allowed devices can be opened where the host restricts devices', async (context) => {
  const plan = await makeGroup(context, 'devices', {});
  const script = 'echo allowed > /dev/null && echo yes; (: < /dev/kmsg) 2>&1; true';
  const run = await runInside(plan, script);
  assert.match(run.stdout, /^yes$/m);
  assert.equal(/not permitted/.test(run.stdout), plan.enforcesDevices, run.stdout);
});

test('a cpuset narrows the processors of a program', async (context) => {
  await fillParentCpuset();
  const plan = await makeGroup(context, 'cpuset', { cpusetCpus: '0', cpusetMems: '0' });
  const run = await runInside(plan, 'nproc');
  assert.equal(run.stdout.trim(), '1', run.stderr);
});

/** A configured parent of a v1 cpuset is set up by whoever configures it. */
async function fillParentCpuset(): Promise<void> {
  if (!existsSync(`${cpusetV1}/cgroup.procs`)) return;
  await mkdir(`${cpusetV1}/${cgroupParent}`);
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    await writeFile(`${cpusetV1}/${cgroupParent}/${file}`, await readFile(`${cpusetV1}/${file}`));
  }
}
