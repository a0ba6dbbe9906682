import type { CgroupFiles } from '../cgroup.js';
import type { Controller } from '../cgroup-host.js';

/** The directory of a group in each hierarchy; controllers that are mounted together share one. */
export type CgroupV1Directories = Partial<Record<Controller, string>>;

/** Where counters and controls of one group are. @see kernel Documentation/admin-guide/cgroup-v1 */
export function cgroupV1Files(directories: CgroupV1Directories): CgroupFiles {
  const { memory, pids, cpu, cpuacct, freezer, blkio } = directories;
  const processes = freezer ?? pids ?? memory ?? cpuacct;
  return {
    ...(memory && { oomKills: `${memory}/memory.oom_control`, memory: memoryFiles(memory) }),
    ...(cpuacct && {
      cpu: {
        version: 'v1',
        usage: `${cpuacct}/cpuacct.usage`,
        user: `${cpuacct}/cpuacct.usage_user`,
        system: `${cpuacct}/cpuacct.usage_sys`,
        perCpu: `${cpuacct}/cpuacct.usage_percpu`,
      },
    }),
    ...(cpu && { cpuThrottling: `${cpu}/cpu.stat` }),
    ...(pids && { pidsCurrent: `${pids}/pids.current`, pidsLimit: `${pids}/pids.max` }),
    ...(blkio && {
      io: {
        version: 'v1',
        bytes: `${blkio}/blkio.throttle.io_service_bytes_recursive`,
        operations: `${blkio}/blkio.throttle.io_serviced_recursive`,
      },
    }),
    ...(processes && { processes: `${processes}/cgroup.procs` }),
    ...(freezer && { freeze: freezeFiles(`${freezer}/freezer.state`) }),
  };
}

function memoryFiles(directory: string): NonNullable<CgroupFiles['memory']> {
  return {
    version: 'v1',
    usage: `${directory}/memory.usage_in_bytes`,
    limit: `${directory}/memory.limit_in_bytes`,
    peak: `${directory}/memory.max_usage_in_bytes`,
    withSwap: `${directory}/memory.memsw.usage_in_bytes`,
    failures: `${directory}/memory.failcnt`,
    detail: `${directory}/memory.stat`,
  };
}

function freezeFiles(path: string): NonNullable<CgroupFiles['freeze']> {
  return { path, frozen: 'FROZEN', thawed: 'THAWED', state: { path, frozen: 'FROZEN', thawed: 'THAWED' } };
}
