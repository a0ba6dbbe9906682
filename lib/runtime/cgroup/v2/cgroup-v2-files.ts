import type { CgroupFiles } from '../cgroup.js';
import type { Controller } from '../cgroup-host.js';

/**
 * Where counters and controls of one group are; `controllers` are those that the group has.
 *
 * @see kernel Documentation/admin-guide/cgroup-v2.rst
 */
export function cgroupV2Files(directory: string, controllers: readonly Controller[]): CgroupFiles {
  return {
    ...(controllers.includes('memory') && {
      oomKills: `${directory}/memory.events`,
      memory: {
        version: 'v2',
        usage: `${directory}/memory.current`,
        limit: `${directory}/memory.max`,
        peak: `${directory}/memory.peak`,
        swap: `${directory}/memory.swap.current`,
        events: `${directory}/memory.events`,
        detail: `${directory}/memory.stat`,
      },
    }),
    cpu: { version: 'v2', stat: `${directory}/cpu.stat` }, // usage is counted without the controller too
    cpuThrottling: `${directory}/cpu.stat`,
    ...(controllers.includes('pids') && {
      pidsCurrent: `${directory}/pids.current`,
      pidsLimit: `${directory}/pids.max`,
    }),
    ...(controllers.includes('io') && { io: { version: 'v2', stat: `${directory}/io.stat` } }),
    processes: `${directory}/cgroup.procs`,
    freeze: {
      path: `${directory}/cgroup.freeze`,
      frozen: '1',
      thawed: '0',
      state: { path: `${directory}/cgroup.events`, frozen: 'frozen 1', thawed: 'frozen 0' },
    },
    kill: `${directory}/cgroup.kill`,
  };
}
