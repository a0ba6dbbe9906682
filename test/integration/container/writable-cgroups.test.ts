import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ContainerOptions } from 'tscontainer';
import { isCgroupV2 } from '../../helpers/container-group.js';
import { type OptionsLab, openOptionsLab } from '../../helpers/options-lab.js';

const v2 = isCgroupV2();
const range = [{ containerId: 0, hostId: 400_000, size: 65_536 }];

/** Makes a group with a limit of three processes. */
const script = v2
  ? `cd /sys/fs/cgroup && mkdir leaf sub && for p in 1 $$; do echo $p > leaf/cgroup.procs; done && echo '+pids' > cgroup.subtree_control &&
     echo 3 > sub/pids.max && echo $$ > sub/cgroup.procs; (echo max > memory.max) 2>/dev/null; cat sub/pids.max`
  : `cd /sys/fs/cgroup/pids && mkdir sub && echo 3 > sub/pids.max && echo $$ > sub/tasks; cat sub/pids.max`;
const enter = v2 ? 'sub/cgroup.procs' : 'pids/sub/tasks';
const spawns = 'sleep 0.1 & sleep 0.1 & sleep 0.1 & sleep 0.1 & wait';

describe('a container that may make cgroups of its own', () => {
  let options: OptionsLab;
  before(async () => {
    options = await openOptionsLab();
  });
  after(() => options[Symbol.asyncDispose]());

  const cases: Readonly<Record<string, Partial<ContainerOptions>>> = {
    'by its option': { writableCgroups: true },
    'by Docker’s text': { securityOpt: ['writable-cgroups'] },
    // busybox's user database and programs belong to root: a root that is nobody special may use them.
    'in a user namespace': { writableCgroups: true, userns: { uids: range, gids: range } },
  };
  for (const [title, wanted] of Object.entries(cases)) {
    test(`${title}: has them in force, within its own, and is joined, paused and removed with them`, async () => {
      await using container = await options.start({ ...wanted, pidsLimit: 20, memory: '64m' });
      const { stdout, stderr } = await container.exec(['sh', '-c', script]);
      assert.deepEqual([stdout, stderr], ['3\n', '']);
      const full = await container.exec(['sh', '-c', `echo $$ > /sys/fs/cgroup/${enter}; ${spawns}`]);
      assert.match(full.stderr, /can't fork/);
      assert.notEqual(full.exitCode, 0);
      await container.pause();
      assert.equal(container.status, 'paused');
      await container.unpause();
      assert.equal((await container.stats()).pids?.limit, 20);
      assert.ok((await container.top()).length >= 1);
      assert.equal((await container.exec(['true'])).exitCode, 0);
    });
  }

  test('cannot get beyond its limits by them', async () => {
    await using container = await options.start({ writableCgroups: true, memory: '32m', memorySwap: '32m' });
    const raise = v2
      ? 'echo max > /sys/fs/cgroup/memory.max'
      : 'echo -1 > /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes; echo -1 > /sys/fs/cgroup/memory/memory.limit_in_bytes';
    const hog = 'x=$(head -c 60000000 /dev/zero | tr "\\0" x); echo survived';
    const { exitCode, stdout } = await container.exec(['sh', '-c', `${raise} 2>/dev/null; ${hog}`]);
    assert.deepEqual([exitCode, stdout], [137, '']);
  });

  test('is none by default', async () => {
    await using container = await options.start({ pidsLimit: 20 });
    const { exitCode, stderr } = await container.exec(['mkdir', `/sys/fs/cgroup/${v2 ? '' : 'pids/'}sub`]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /Read-only file system/);
  });
});
