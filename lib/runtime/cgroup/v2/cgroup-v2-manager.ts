import { EngineError } from '../../../core/errors/engine-error.js';
import type { DeviceFilter, JoinCgroup, MakeDirectory, PlanOperation, WriteFile } from '../../launch-plan.js';
import type { CgroupFiles, CgroupManager } from '../cgroup.js';
import type { CgroupHost, Controller } from '../cgroup-host.js';
import { checkCgroupId, engineGroup, parseCgroupParent } from '../cgroup-path.js';
import { cpuWeight } from '../cpu-weight.js';
import { type DeviceRule, defaultDeviceRules } from '../device-rules.js';
import { requiredControllers } from '../required-controllers.js';
import { type CgroupLimits, checkResources, type MemoryLimits } from '../resources.js';
import { assembleDeviceProgram } from './device-program.js';

type HostV2 = Extract<CgroupHost, { version: 'v2' }>;

/** Handed down to every container where the host has them: for counters, and for updates of a running container. */
const always: readonly Controller[] = ['memory', 'pids', 'cpu'];

/**
 * cgroup v2. The shim makes the child with CLONE_INTO_CGROUP: no later move, no lock.
 *
 * @see kernel Documentation/admin-guide/cgroup-v2.rst
 */
export function createCgroupV2Manager(host: HostV2, parent: string): CgroupManager {
  const shared = [...parseCgroupParent(parent), engineGroup];
  return {
    kind: 'v2',
    plan: (request) => {
      const id = checkCgroupId(request.id);
      const limits = checkResources(request.resources);
      requireAll(host, limits);
      const wanted = controllersFor(host, limits);
      const directory = [host.root, ...shared, id].join('/');
      const join: JoinCgroup[] = [{ op: 'join-cgroup', path: directory }];
      return {
        prepare: [
          ...makeAll(host, shared, id, wanted),
          ...limitWrites(directory, limits, host),
          ...deviceFilter(host, directory, request.devices),
          ...join,
        ],
        join,
        cleanup: [{ op: 'remove-directory', path: directory }],
        files: filesOf(directory, wanted),
        enforcesDevices: host.deviceFilter,
        sharedDirectories: [[host.root, ...shared].join('/')],
      };
    },
  };
}

function requireAll(host: HostV2, limits: CgroupLimits): void {
  for (const needed of requiredControllers(limits)) {
    if (!host.controllers.includes(needed.controller)) {
      throw new EngineError('CONTROLLER_MISSING', { ...needed, hint: `${host.root} does not offer it` });
    }
  }
  if (limits.memory?.withSwap.explicit && limits.memory.withSwap.bytes !== 'unlimited' && !host.swap) {
    throw new EngineError('CONTROLLER_MISSING', {
      option: 'memorySwap',
      controller: 'memory',
      hint: 'the kernel does not count swap: boot without swapaccount=0',
    });
  }
}

function controllersFor(host: HostV2, limits: CgroupLimits): Controller[] {
  const needed = new Set<Controller>([...always, ...requiredControllers(limits).map((each) => each.controller)]);
  return host.controllers.filter((each) => needed.has(each));
}

/** Directories from the top down; every group above the container's hands the controllers on to its children. */
function makeAll(host: HostV2, shared: readonly string[], id: string, wanted: readonly Controller[]): PlanOperation[] {
  const handDown = (directory: string, controllers: readonly Controller[]): WriteFile[] =>
    controllers.length === 0
      ? []
      : [
          {
            op: 'write-file',
            path: `${directory}/cgroup.subtree_control`,
            data: controllers.map((each) => `+${each}`).join(' '),
          },
        ];
  const make = (path: string): MakeDirectory => ({ op: 'make-directory', path, mode: 0o755 });
  const missing = wanted.filter((each) => !host.enabled.includes(each));
  const groups = shared.map((_, index) => [host.root, ...shared.slice(0, index + 1)].join('/'));
  return [
    ...handDown(host.root, missing),
    ...groups.flatMap((path) => [make(path), ...handDown(path, wanted)]),
    make([host.root, ...shared, id].join('/')),
  ];
}

function limitWrites(directory: string, limits: CgroupLimits, host: HostV2): WriteFile[] {
  const bandwidth = limits.cpuBandwidth;
  const writes: [file: string, data: string | number | undefined][] = [
    ['memory.max', limits.memory?.limit],
    ['memory.swap.max', limits.memory && host.swap ? swapOf(limits.memory) : undefined],
    ['memory.low', limits.memoryReservation],
    ['cpu.weight', limits.cpuShares && cpuWeight(limits.cpuShares)],
    ['cpu.max', bandwidth && `${bandwidth.quota === 'unlimited' ? 'max' : bandwidth.quota} ${bandwidth.period}`],
    ['cpuset.cpus', limits.cpusetCpus],
    ['cpuset.mems', limits.cpusetMems],
    ['pids.max', limits.pids === 'unlimited' ? 'max' : limits.pids],
  ];
  return writes.flatMap(([file, data]): WriteFile[] =>
    data === undefined ? [] : [{ op: 'write-file', path: `${directory}/${file}`, data: String(data) }],
  );
}

function deviceFilter(
  host: HostV2,
  path: string,
  devices: readonly DeviceRule[] = defaultDeviceRules,
): readonly DeviceFilter[] {
  return host.deviceFilter ? [{ op: 'device-filter', path, program: assembleDeviceProgram(devices) }] : [];
}

/** v2 counts swap apart. */
function swapOf(memory: MemoryLimits): string {
  const { bytes } = memory.withSwap;
  return bytes === 'unlimited' ? 'max' : String(bytes - memory.limit);
}

function filesOf(directory: string, controllers: readonly Controller[]): CgroupFiles {
  return {
    ...(controllers.includes('memory') && {
      oomKills: `${directory}/memory.events`,
      memoryUsage: `${directory}/memory.current`,
      memoryStat: `${directory}/memory.stat`,
      inactiveFileKey: 'inactive_file',
    }),
    cpuUsage: { path: `${directory}/cpu.stat`, format: 'cpu.stat' }, // usage is counted without the controller too
    ...(controllers.includes('pids') && { pidsCurrent: `${directory}/pids.current` }),
    processes: `${directory}/cgroup.procs`,
    freeze: { path: `${directory}/cgroup.freeze`, frozen: '1', thawed: '0' },
    kill: `${directory}/cgroup.kill`,
  };
}
