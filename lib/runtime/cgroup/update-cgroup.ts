import { attachCleanupErrors } from '../../core/errors/attach-cleanup-errors.js';
import type { CgroupFiles, CgroupManager, CgroupUpdate } from './cgroup.js';
import type { CgroupControl } from './cgroup-control.js';
import { enterGroups } from './enter-groups.js';
import { writeLimits } from './write-limits.js';

/**
 * Gives a running container other limits: all of them, or, when the kernel refuses one, none.
 *
 * @returns what to do again once the new limits are on record: it moves processes that have joined the container
 * meanwhile into the groups that the update has made.
 * @throws EngineError `INVALID_OPTION`, `CONTROLLER_MISSING`, `SYSTEM_CALL_FAILED` for a limit that the kernel refuses.
 */
export async function updateCgroup(
  manager: CgroupManager,
  files: CgroupFiles,
  request: CgroupUpdate,
  control: CgroupControl,
): Promise<() => Promise<void>> {
  const plan = manager.update(request);
  const enter = (): Promise<void> => enterGroups(files, plan.enter, control);
  for (const each of plan.prepare) {
    if (each.op === 'make-directory') await control.makeDirectory(each.path, each.mode);
    else await writeLimits([each], control);
  }
  try {
    await writeLimits(plan.writes, control);
    await enter();
  } catch (error) {
    const back = manager.update({ ...request, current: request.next, next: request.current });
    await writeLimits(back.writes, control).catch((failure: unknown) => attachCleanupErrors(error, [failure]));
    throw error;
  }
  return enter;
}
