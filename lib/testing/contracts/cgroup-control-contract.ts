import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { CgroupManager, CgroupPlan } from '../../runtime/cgroup/cgroup.js';
import type { CgroupControl } from '../../runtime/cgroup/cgroup-control.js';
import { freezeCgroup, isFrozen, isFrozenNow, thawCgroup } from '../../runtime/cgroup/freeze-cgroup.js';
import { readCgroupStats } from '../../runtime/cgroup/read-cgroup-stats.js';
import { updateCgroup } from '../../runtime/cgroup/update-cgroup.js';

/** A group that exists, and what it was made of. */
export interface CgroupUnderTest extends AsyncDisposable {
  readonly control: CgroupControl;
  readonly manager: CgroupManager;
  readonly id: string;
  readonly plan: CgroupPlan;
}

/** What every {@link CgroupControl} does. `open` makes a group without limits. */
export function cgroupControlContract(fixture: { readonly name: string; open(): Promise<CgroupUnderTest> }): void {
  const contract = (title: string, body: (tested: CgroupUnderTest) => Promise<void>): void => {
    test(title, async () => {
      await using tested = await fixture.open();
      await body(tested);
    });
  };

  describe(`control of groups: ${fixture.name}`, () => {
    contract('what is written is read, at once too', async ({ control, plan }) => {
      const path = plan.files.pidsLimit ?? '';
      assert.equal(await control.readText(path), 'max\n');
      await control.writeText(path, '33');
      assert.deepEqual([await control.readText(path), control.peek(path)], ['33\n', '33\n']);
    });

    contract('a file that is not there is undefined', async ({ control, plan }) => {
      const path = join(dirname(plan.files.processes ?? ''), 'no.such.file');
      assert.deepEqual([await control.readText(path), control.peek(path)], [undefined, undefined]);
    });

    contract('a frozen group says so until it is thawed', async ({ control, plan: { files } }) => {
      assert.deepEqual([await isFrozen(files, control), isFrozenNow(files, control)], [false, false]);
      await freezeCgroup(files, control);
      assert.deepEqual([await isFrozen(files, control), isFrozenNow(files, control)], [true, true]);
      await thawCgroup(files, control);
      assert.deepEqual([await isFrozen(files, control), isFrozenNow(files, control)], [false, false]);
    });

    contract('groups in a group are listed; a group that is there can be made again', async ({ control, plan }) => {
      const directory = dirname(plan.files.processes ?? '');
      assert.deepEqual(await control.listGroups(directory), []);
      await control.makeDirectory(directory, 0o755);
      assert.ok((await control.listGroups(dirname(directory))).includes(directory.split('/').at(-1) ?? ''));
      assert.deepEqual(await control.listGroups(join(directory, 'missing')), []);
    });

    contract('limits are changed and lifted, and seen in the counters', async ({ control, manager, id, plan }) => {
      const first = { memory: 64 * 1024 * 1024, pidsLimit: 9 };
      const limits = async (): Promise<unknown[]> => {
        const { memory, pids } = await readCgroupStats(plan.files, control.readText);
        return [memory?.limitBytes, pids?.limit];
      };
      await updateCgroup(manager, plan.files, { id, current: {}, next: first }, control);
      assert.deepEqual(await limits(), [first.memory, 9]);
      await updateCgroup(manager, plan.files, { id, current: first, next: { pidsLimit: 8 } }, control);
      assert.deepEqual(await limits(), [undefined, 8]);
    });
  });
}
