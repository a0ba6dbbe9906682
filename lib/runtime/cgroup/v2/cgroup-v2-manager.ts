import { EngineError } from '../../../core/errors/engine-error.js';
import type { DeviceFilter, JoinCgroup, MakeDirectory, PlanOperation, WriteFile } from '../../launch-plan.js';
import type { CgroupManager } from '../cgroup.js';
import type { CgroupHost, Controller } from '../cgroup-host.js';
import { checkCgroupId, sharedParts } from '../cgroup-path.js';
import { cpuWeight } from '../cpu-weight.js';
import { type DeviceRule, defaultDeviceRules } from '../device-rules.js';
import { requireBlockWeight, requiredControllers } from '../required-controllers.js';
import { type CgroupLimits, checkResources, type MemoryLimits } from '../resources.js';
import { changedWrites } from '../update-writes.js';
import { blockWrites } from './block-writes.js';
import { cgroupV2Files } from './cgroup-v2-files.js';
import { assembleDeviceProgram } from './device-program.js';

type HostV2 = Extract<CgroupHost, { version: 'v2' }>;

/** Handed down to every container where the host has them: for counters, and for updates of a running container. */
const always: readonly Controller[] = ['memory', 'pids', 'cpu', 'io'];

/**
 * cgroup v2. The shim makes the child with CLONE_INTO_CGROUP: no later move, no lock.
 *
 * @see kernel Documentation/admin-guide/cgroup-v2.rst
 */
export function createCgroupV2Manager(host: HostV2, parent: string): CgroupManager {
  const usual = sharedParts(parent);
  return {
    kind: 'v2',
    plan: (request) => {
      const shared = request.parent === undefined ? usual : sharedParts(request.parent);
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
        files: cgroupV2Files(directory, wanted),
        controllers: wanted,
        enforcesDevices: host.deviceFilter,
        sharedDirectories: [[host.root, ...shared].join('/')],
      };
    },
    update: ({ id, parent: own, current, next }) => {
      const shared = own === undefined ? usual : sharedParts(own);
      const before = checkResources(current);
      const limits = checkResources(next);
      requireAll(host, limits);
      const directory = [host.root, ...shared, checkCgroupId(id)].join('/');
      const had = controllersFor(host, before);
      const added = controllersFor(host, limits).filter((each) => !had.includes(each));
      return {
        prepare: handDownAll(host, shared, added).flatMap(({ writes }) => writes),
        writes: changedWrites(limitWrites(directory, before, host), limitWrites(directory, limits, host)),
        enter: [],
      };
    },
  };
}

function requireAll(host: HostV2, limits: CgroupLimits): void {
  for (const option of ['memorySwappiness', 'oomKillDisable'] as const) {
    if (limits[option] === undefined) continue;
    throw new EngineError('CONTROLLER_MISSING', {
      option,
      controller: 'memory',
      hint: 'cgroup v2 has no such control',
    });
  }
  for (const needed of requiredControllers(limits, 'io')) {
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
  requireBlockWeight(limits, host.blockWeightFiles, 'io');
}

function controllersFor(host: HostV2, limits: CgroupLimits): Controller[] {
  const needed = new Set<Controller>([...always, ...requiredControllers(limits, 'io').map((each) => each.controller)]);
  return host.controllers.filter((each) => needed.has(each));
}

/** Directories from the top down; every group above the container's hands the controllers on to its children. */
function makeAll(host: HostV2, shared: readonly string[], id: string, wanted: readonly Controller[]): PlanOperation[] {
  const make = (path: string): MakeDirectory => ({ op: 'make-directory', path, mode: 0o755 });
  return [
    ...handDownAll(host, shared, wanted).flatMap(({ path, writes }): readonly PlanOperation[] =>
      path === host.root ? writes : [make(path), ...writes],
    ),
    make([host.root, ...shared, id].join('/')),
  ];
}

/** For the root and each group above the container's: the write that hands controllers on, where one is needed. */
function handDownAll(
  host: HostV2,
  shared: readonly string[],
  wanted: readonly Controller[],
): { readonly path: string; readonly writes: readonly WriteFile[] }[] {
  const handDown = (path: string, controllers: readonly Controller[]): readonly WriteFile[] => {
    const data = controllers.map((each) => `+${each}`).join(' ');
    return data === '' ? [] : [{ op: 'write-file', path: `${path}/cgroup.subtree_control`, data }];
  };
  const missing = wanted.filter((each) => !host.enabled.includes(each));
  const groups = shared.map((_, index) => [host.root, ...shared.slice(0, index + 1)].join('/'));
  return [
    { path: host.root, writes: handDown(host.root, missing) },
    ...groups.map((path) => ({ path, writes: handDown(path, wanted) })),
  ];
}

function limitWrites(directory: string, limits: CgroupLimits, host: HostV2): WriteFile[] {
  const bandwidth = limits.cpuBandwidth;
  const writes: (readonly [file: string, data: string | number | undefined])[] = [
    ['memory.max', limits.memory?.limit],
    ['memory.swap.max', limits.memory && host.swap ? swapOf(limits.memory) : undefined],
    ['memory.low', limits.memoryReservation],
    ['cpu.weight', limits.cpuShares && cpuWeight(limits.cpuShares)],
    ['cpu.max', bandwidth && `${bandwidth.quota === 'unlimited' ? 'max' : bandwidth.quota} ${bandwidth.period}`],
    ['cpuset.cpus', limits.cpusetCpus],
    ['cpuset.mems', limits.cpusetMems],
    ['pids.max', limits.pids === 'unlimited' ? 'max' : limits.pids],
    ...(limits.hugepages ?? []).map(({ pageSize, limit }) => [`hugetlb.${pageSize}.max`, limit] as const),
  ];
  return [
    ...writes.flatMap(([file, data]): WriteFile[] =>
      data === undefined ? [] : [{ op: 'write-file', path: `${directory}/${file}`, data: String(data) }],
    ),
    ...blockWrites(directory, limits, host.blockWeightFiles),
  ];
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
