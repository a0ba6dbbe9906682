import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { TestContext } from 'node:test';
import type { CgroupManager, CgroupPlan } from '#lib/runtime/cgroup/cgroup.js';
import { createCgroupManager } from '#lib/runtime/cgroup/create-cgroup-manager.js';
import { thawCgroup } from '#lib/runtime/cgroup/freeze-cgroup.js';
import { fsCgroupControl } from '#lib/runtime/cgroup/fs-cgroup-control.js';
import { fsCgroupFileAccess } from '#lib/runtime/cgroup/fs-cgroup-file-access.js';
import { probeCgroups } from '#lib/runtime/cgroup/probe-cgroups.js';
import type { CgroupResources } from '#lib/runtime/cgroup/resources.js';
import type { CgroupUnderTest } from '#lib/testing/contracts/cgroup-control-contract.js';
import { executeHostOperations } from './execute-host-operations.js';

/** Above the groups of one test process. */
export const cgroupParent = `tscontainer-test-${process.pid}`;

export async function hostCgroupManager(): Promise<CgroupManager> {
  const host = await probeCgroups(fsCgroupFileAccess, undefined, await readFile('/proc/self/cgroup', 'utf8'));
  assert.notEqual(host.version, 'none', 'this test needs writable cgroups');
  return createCgroupManager(host, { cgroupParent });
}

/** A group of this host with the given limits, gone after the test with all that is in it. */
export async function makeGroup(context: TestContext, name: string, resources: CgroupResources): Promise<CgroupPlan> {
  const group = await openHostGroup(name, resources);
  context.after(() => group[Symbol.asyncDispose]());
  return group.plan;
}

/** The same for whoever disposes of it. */
export async function openHostGroup(id: string, resources: CgroupResources): Promise<CgroupUnderTest> {
  const manager = await hostCgroupManager();
  const plan = manager.plan({ id, resources });
  await executeHostOperations(plan.prepare);
  return {
    manager,
    control: fsCgroupControl,
    id,
    plan,
    [Symbol.asyncDispose]: async () => {
      await thawCgroup(plan.files, fsCgroupControl);
      await killAll(plan);
      await executeHostOperations(plan.cleanup);
      for (const shared of plan.sharedDirectories) {
        for (const path of [shared, dirname(shared)]) if (existsSync(path)) await rmdir(path);
      }
    },
  };
}

/** Lines of a shell script that moves the shell into a group. */
export function joinLines(plan: CgroupPlan): string {
  const files = plan.join.map(({ path }) => (existsSync(`${path}/tasks`) ? `${path}/tasks` : `${path}/cgroup.procs`));
  return files.map((file) => `echo 0 > ${file} || exit 99`).join('\n');
}

/** Ends all processes of a group. */
export async function killAll(plan: CgroupPlan): Promise<void> {
  assert.ok(plan.files.processes !== undefined);
  for (;;) {
    const pids = (await readFile(plan.files.processes, 'utf8')).split('\n').filter((each) => each !== '');
    if (pids.length === 0) return;
    for (const pid of pids) kill(Number(pid));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended since the list was read
  }
}
