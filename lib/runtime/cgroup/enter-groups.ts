import { EngineError } from '../../core/errors/engine-error.js';
import { errnoOf } from '../../util/errno.js';
import { isMissing } from '../../util/file-error.js';
import type { CgroupFiles } from './cgroup.js';
import type { CgroupControl } from './cgroup-control.js';
import { freezeCgroup, isFrozen, thawCgroup } from './freeze-cgroup.js';
import { listProcesses } from './list-processes.js';

/**
 * Moves all processes of a running container into further groups of v1. They are frozen meanwhile: no process is made that
 * nobody has seen, and none ends whose number another one could get.
 *
 * @throws EngineError `CONTROLLER_MISSING` without the freezer, `PAUSE_TIMEOUT`, `SYSTEM_CALL_FAILED`.
 */
export async function enterGroups(
  files: CgroupFiles,
  directories: readonly string[],
  control: CgroupControl,
): Promise<void> {
  if (directories.length === 0) return;
  const wasFrozen = await isFrozen(files, control);
  if (!wasFrozen) await freezeCgroup(files, control);
  try {
    for (const pid of await listProcesses(files, control))
      for (const directory of directories) await moveProcess(pid, directory, control);
  } finally {
    if (!wasFrozen) await thawCgroup(files, control);
  }
}

async function moveProcess(pid: number, directory: string, control: CgroupControl): Promise<void> {
  try {
    await control.writeText(`${directory}/cgroup.procs`, String(pid));
  } catch (error) {
    const errno = errnoOf(error) ?? '';
    if (errno === 'ESRCH') return; // a zombie: it uses nothing any more
    if (isMissing(error)) return; // the container has ended, and its groups with it
    const operand = `${pid} to ${directory}/cgroup.procs`;
    throw new EngineError('SYSTEM_CALL_FAILED', { syscall: 'write', errno, operand, hint: '' }, { cause: error });
  }
}
