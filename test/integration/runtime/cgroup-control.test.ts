import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CgroupPlan } from '#lib/runtime/cgroup/cgroup.js';
import { freezeCgroup, isFrozen, thawCgroup } from '#lib/runtime/cgroup/freeze-cgroup.js';
import { fsCgroupControl } from '#lib/runtime/cgroup/fs-cgroup-control.js';
import { readCgroupStats } from '#lib/runtime/cgroup/read-cgroup-stats.js';
import type { CgroupResources } from '#lib/runtime/cgroup/resources.js';
import { updateCgroup } from '#lib/runtime/cgroup/update-cgroup.js';
import { hostCgroupManager, joinLines, makeGroup } from '../../helpers/host-cgroup.js';
import { runProgram } from '../../helpers/run-program.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';

const MIB = 1024 * 1024;

const stats = (plan: CgroupPlan) => readCgroupStats(plan.files, fsCgroupControl.readText);
const control = fsCgroupControl;

/** A program that counts without end, in the group; it ends with the group. */
async function startCounting(plan: CgroupPlan): Promise<void> {
  const script = `${joinLines(plan)}\necho counting; while :; do :; done`;
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(said.toString(), 'counting\n');
}

/** In milliseconds. */
async function cpuTime(plan: CgroupPlan): Promise<number> {
  const { cpu } = await stats(plan);
  assert.ok(cpu !== undefined);
  return cpu.usageMs;
}

/** Returns once the program has run for a while. */
async function waitForProgress(plan: CgroupPlan): Promise<void> {
  const before = await cpuTime(plan);
  while ((await cpuTime(plan)) < before + 2) await new Promise((resolve) => setImmediate(resolve));
}

test('a frozen program uses no processor time, a thawed one does', async (context) => {
  const plan = await makeGroup(context, 'freeze', {});
  await startCounting(plan);
  await waitForProgress(plan);
  await freezeCgroup(plan.files, control);
  assert.equal(await isFrozen(plan.files, control), true);
  const before = await cpuTime(plan);
  await runProgram('/bin/sh', ['-c', 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done']); // time in which it could run
  assert.equal(await cpuTime(plan), before);
  await thawCgroup(plan.files, control);
  await waitForProgress(plan);
  assert.equal(await isFrozen(plan.files, control), false);
});

test('the limits of a running program are raised, lowered and lifted in an order that the kernel takes', async (context) => {
  const steps: CgroupResources[] = [
    { memory: 64 * MIB, memorySwap: 64 * MIB, cpus: 0.5, pidsLimit: 20, cpuShares: 512 },
    { memory: 256 * MIB, memorySwap: 300 * MIB, cpus: 1.5, pidsLimit: 40, cpuShares: 2048 },
    { memory: 32 * MIB, memorySwap: 32 * MIB, cpuPeriod: 50_000, cpuQuota: 10_000, pidsLimit: 10 },
    {},
    { memory: 128 * MIB, memorySwap: -1, cpus: 2 },
  ];
  const [first = {}, ...others] = steps;
  const plan = await makeGroup(context, 'update', first);
  await startCounting(plan);
  const manager = await hostCgroupManager();
  let current = first;
  for (const next of others) {
    await updateCgroup(manager, plan.files, { id: 'update', current, next }, control);
    const { memory, pids } = await stats(plan);
    assert.deepEqual([memory?.limitBytes, pids?.limit], [next.memory, next.pidsLimit]);
    current = next;
  }
});

test('a bound on processor time is seen in the counters', async (context) => {
  const plan = await makeGroup(context, 'throttled', { cpuPeriod: 10_000, cpuQuota: 1000 });
  await startCounting(plan);
  for (;;) {
    const { throttledPeriods = 0, throttledMs = 0 } = (await stats(plan)).cpu?.throttling ?? {};
    if (throttledPeriods >= 3 && throttledMs > 1) break; // the test's time limit is that of the wait
  }
});

test('what a program writes to a disk is counted, and its throttle is in force', async (context) => {
  const directory = await scopedDirectory(context);
  const device = await diskOf(directory);
  const limits = { blkioDeviceWriteBps: [{ ...device, value: 512 * 1024 * MIB }] };
  const plan = await makeGroup(context, 'block', limits);
  const script = `${joinLines(plan)}\nexec dd if=/dev/zero of=${join(directory, 'file')} bs=1M count=2 oflag=direct`;
  const run = await runProgram('/bin/sh', ['-c', script]);
  assert.equal(run.exitCode, 0, run.stderr);
  const { io } = await stats(plan);
  assert.ok(io !== undefined && io.writtenBytes >= 2 * MIB && io.writes > 0, JSON.stringify(io));

  const manager = await hostCgroupManager();
  const next = { blkioDeviceWriteBps: [{ ...device, value: 4 * MIB }] };
  await updateCgroup(manager, plan.files, { id: 'block', current: limits, next }, control);
  const started = performance.now();
  const slow = await runProgram('/bin/sh', ['-c', script]);
  const seconds = (performance.now() - started) / 1000;
  assert.equal(slow.exitCode, 0, slow.stderr);
  assert.ok(seconds > 0.3, `2 MiB at 4 MiB a second took ${seconds} s`);
});

/** The whole disk below a file system: what throttles and counters go by. The numbers are packed as in makedev(3). */
async function diskOf(path: string): Promise<{ major: number; minor: number }> {
  const { dev } = await stat(path, { bigint: true });
  const number = `${((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)}:${(dev & 0xffn) | ((dev >> 12n) & ~0xffn)}`;
  const partition = existsSync(`/sys/dev/block/${number}/partition`);
  const text = partition ? await readFile(`/sys/dev/block/${number}/../dev`, 'utf8') : number;
  const [major = 0, minor = 0] = text.split(':').map(Number);
  return { major, minor };
}
