import { EngineError } from '../../../core/errors/engine-error.js';
import type { CgroupManager } from '../cgroup.js';
import { checkCgroupId } from '../cgroup-path.js';
import { requiredControllers } from '../required-controllers.js';
import { checkResources } from '../resources.js';

/** Containers without limits on a host without usable cgroups; a limit is refused. */
export function createNoCgroupManager(host: { readonly reason: string }): CgroupManager {
  return {
    kind: 'none',
    plan: (request) => {
      checkCgroupId(request.id);
      const [needed] = requiredControllers(checkResources(request.resources));
      if (needed !== undefined) throw new EngineError('CONTROLLER_MISSING', { ...needed, hint: host.reason });
      return { prepare: [], join: [], cleanup: [], files: {}, enforcesDevices: false, sharedDirectories: [] };
    },
  };
}
