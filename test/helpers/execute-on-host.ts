import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import type { PlanOperation } from '#lib/runtime/launch-plan.js';
import type { OperationFailure } from '#lib/runtime/memory/memory-launcher.js';

/** Does the operations of a plan that touch plain files and directories, as the shim does; passes over all others. */
export function executeOnHost(operation: PlanOperation): OperationFailure | undefined {
  switch (operation.op) {
    case 'make-directory':
      return attempt('mkdir', operation.path, () => mkdirSync(operation.path, { mode: operation.mode }), ['EEXIST']);
    case 'remove-directory':
      return attempt('rmdir', operation.path, () => rmdirSync(operation.path), ['ENOENT']);
    case 'write-file':
      return attempt('open', operation.path, () => writeFileSync(operation.path, operation.data, { flag: 'r+' }), []);
    default:
      return undefined;
  }
}

function attempt(syscall: string, operand: string, work: () => void, fine: string[]): OperationFailure | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    const errno = String((error as NodeJS.ErrnoException).code);
    return fine.includes(errno) ? undefined : { syscall, errno, operand };
  }
}
