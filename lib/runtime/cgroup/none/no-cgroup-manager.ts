import { EngineError } from '../../../core/errors/engine-error.js';
import type { CgroupManager } from '../cgroup.js';
import { checkCgroupId } from '../cgroup-path.js';
import { requiredControllers } from '../required-controllers.js';
import { type CgroupResources, checkResources } from '../resources.js';

/** Containers without limits on a host without usable cgroups; a limit is refused. */
export function createNoCgroupManager(host: { readonly reason: string }): CgroupManager {
  const check = (id: string, resources: CgroupResources): void => {
    checkCgroupId(id);
    const [needed] = requiredControllers(checkResources(resources), 'io');
    if (needed !== undefined) throw new EngineError('CONTROLLER_MISSING', { ...needed, hint: host.reason });
  };
  return {
    kind: 'none',
    plan: ({ id, resources }) => {
      check(id, resources);
      return {
        prepare: [],
        join: [],
        cleanup: [],
        files: {},
        controllers: [],
        enforcesDevices: false,
        sharedDirectories: [],
      };
    },
    update: ({ id, next }) => {
      check(id, next);
      return { prepare: [], writes: [], enter: [] };
    },
  };
}
