import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import type { PlanOperation } from '#lib/runtime/launch-plan.js';

/** Does what the shim does for the operations on files; other operations are left to the caller. */
export async function executeHostOperations(operations: readonly PlanOperation[]): Promise<void> {
  for (const each of operations) {
    if (each.op === 'make-directory') await mkdir(each.path, { mode: each.mode }).catch(unless('EEXIST'));
    else if (each.op === 'write-file') await writeFile(each.path, each.data, { flag: 'r+' });
    else if (each.op === 'remove-directory') await rmdir(each.path).catch(unless('ENOENT'));
  }
}

function unless(code: string): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code !== code) throw error;
  };
}
