import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import type { PlanOperation } from '#lib/runtime/launch-plan.js';
import { delay } from '#lib/util/abort.js';

/** Does what the shim does for the operations on files; other operations are left to the caller. */
export async function executeHostOperations(operations: readonly PlanOperation[]): Promise<void> {
  for (const each of operations) {
    if (each.op === 'make-directory') await mkdir(each.path, { mode: each.mode, recursive: true });
    else if (each.op === 'write-file') await writeFile(each.path, each.data, { flag: 'r+' });
    else if (each.op === 'write-values') {
      for (const value of each.values) await writeFile(each.path, value, { flag: 'r+' });
    } else if (each.op === 'remove-directory') await removeGroup(each.path);
  }
}

/** A process that has just ended keeps its group busy until the kernel has let go of it. */
async function removeGroup(path: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await rmdir(path).catch(unless('ENOENT'));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || tries === 200) throw error;
      await delay(5);
    }
  }
}

function unless(code: string): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code !== code) throw error;
  };
}
