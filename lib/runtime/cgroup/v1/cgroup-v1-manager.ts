import { EngineError } from '../../../core/errors/engine-error.js';
import type {
  JoinCgroup,
  MakeDirectory,
  PlanOperation,
  RemoveDirectory,
  WriteFile,
  WriteValues,
} from '../../launch-plan.js';
import type { CgroupManager } from '../cgroup.js';
import type { CgroupHost, Controller } from '../cgroup-host.js';
import { checkCgroupId, sharedParts } from '../cgroup-path.js';
import { type DeviceRule, defaultDeviceRules, formatDeviceRule } from '../device-rules.js';
import { requireBlockWeight, requiredControllers } from '../required-controllers.js';
import { type CgroupLimits, checkResources } from '../resources.js';
import { changedWrites } from '../update-writes.js';
import { blockWrites } from './block-writes.js';
import { cgroupV1Files, type CgroupV1Directories as Directories } from './cgroup-v1-files.js';
import { memoryWrites } from './memory-writes.js';

type HostV1 = Extract<CgroupHost, { version: 'v1' }>;

/**
 * Hierarchies that every container joins where they exist: counters, kill and pause need them, and the updates of a
 * running container may. The first costs about 60 µs, each further one 15 µs plus 50 µs for its directory; that of
 * cpuset takes 230 µs.
 */
const always = ['memory', 'pids', 'devices', 'freezer', 'cpu', 'cpuacct', 'blkio'] as const;

/** Joined when a limit needs them. */
const onDemand = ['cpuset', 'hugetlb'] as const;

/**
 * cgroup v1.
 *
 * How the joins are executed decides about milliseconds: a process that writes `0` to `tasks` moves itself without a
 * lock; a pid, or any write to `cgroup.procs`, takes a system-wide lock whose first use on an idle machine waits for an
 * RCU grace period of 5 to 14 ms. So the shim opens `tasks` before it makes the child, and the child writes.
 *
 * @see kernel Documentation/admin-guide/cgroup-v1; cgroup_procs_write_start() in kernel/cgroup/cgroup.c
 */
export function createCgroupV1Manager(host: HostV1, parent: string): CgroupManager {
  const usual = sharedParts(parent);
  return {
    kind: 'v1',
    plan: (request) => {
      const shared = request.parent === undefined ? usual : sharedParts(request.parent);
      const id = checkCgroupId(request.id);
      const limits = checkResources(request.resources);
      requireAll(host, limits);
      const roots = rootsFor(host, limits);
      const directories = directoriesIn(roots, [...shared, id]);
      const own = [...new Set(Object.values(directories))]; // co-mounted controllers share a directory
      const join = own.map((path): JoinCgroup => ({ op: 'join-cgroup', path }));
      return {
        prepare: [
          ...[...new Set(roots.values())].flatMap((root) => makeGroup(host, root, shared, id)),
          ...limitWrites(directories, limits, host),
          ...deviceWrites(directories, request.devices),
          ...thawOnKill(directories),
          ...join,
        ],
        join,
        cleanup: everyRoot(host).map((root): RemoveDirectory => {
          return { op: 'remove-directory', path: [root, ...shared, id].join('/') }; // an update may have made any
        }),
        files: cgroupV1Files(directories),
        controllers: [],
        enforcesDevices: directories.devices !== undefined,
        sharedDirectories: everyRoot(host).map((root) => [root, ...shared].join('/')),
      };
    },
    update: (request) => {
      const shared = request.parent === undefined ? usual : sharedParts(request.parent);
      const id = checkCgroupId(request.id);
      const before = checkResources(request.current);
      const limits = checkResources(request.next);
      requireAll(host, limits);
      const joined = rootsFor(host, before);
      const needed = rootsFor(host, limits);
      const directories = directoriesIn(new Map([...joined, ...needed]), [...shared, id]);
      const entered = [...new Set(needed.values())].filter((root) => ![...joined.values()].includes(root));
      const { cpus = '\n', mems = '\n' } = host.cpuset ?? {};
      const unlimited = { 'cpuset.cpus': cpus, 'cpuset.mems': mems };
      return {
        prepare: entered.flatMap((root) => makeGroup(host, root, shared, id)),
        writes: changedWrites(
          limitWrites(directories, before, host),
          limitWrites(directories, limits, host, before.memory?.withSwap.bytes),
          unlimited,
        ),
        enter: entered.map((root) => [root, ...shared, id].join('/')),
      };
    },
  };
}

function rootsFor(host: HostV1, limits: CgroupLimits): ReadonlyMap<Controller, string> {
  const needed = new Set<Controller>(requiredControllers(limits, 'blkio').map(({ controller }) => controller));
  const roots = new Map<Controller, string>();
  for (const controller of [...always, ...onDemand.filter((each) => needed.has(each))]) {
    const root = host.hierarchies[controller];
    if (root !== undefined) roots.set(controller, root);
  }
  return roots;
}

const directoriesIn = (roots: ReadonlyMap<Controller, string>, parts: readonly string[]): Directories =>
  Object.fromEntries([...roots].map(([controller, root]) => [controller, [root, ...parts].join('/')]));

/** Every hierarchy that a container of this engine may have joined, whatever this one asks for. */
function everyRoot(host: HostV1): string[] {
  return [...new Set([...always, ...onDemand].flatMap((controller) => host.hierarchies[controller] ?? []))];
}

function requireAll(host: HostV1, limits: CgroupLimits): void {
  const hint = 'its v1 hierarchy is not mounted or not writable';
  for (const needed of requiredControllers(limits, 'blkio')) {
    if (host.hierarchies[needed.controller] === undefined) {
      throw new EngineError('CONTROLLER_MISSING', { ...needed, hint });
    }
  }
  if (limits.memory?.withSwap.explicit && limits.memory.withSwap.bytes !== 'unlimited' && !host.swap) {
    throw new EngineError('CONTROLLER_MISSING', {
      option: 'memorySwap',
      controller: 'memory',
      hint: 'the kernel does not count swap: boot with swapaccount=1',
    });
  }
  requireBlockWeight(limits, host.blockWeightFiles, 'blkio');
}

function makeGroup(host: HostV1, root: string, shared: readonly string[], id: string): (MakeDirectory | WriteFile)[] {
  if (root === host.hierarchies.cpuset) return makeCpuset(host, root, shared, id);
  return [{ op: 'make-directory', path: [root, ...shared, id].join('/'), mode: 0o755 }];
}

/**
 * A new cpuset group is unusable until it has processors and memory nodes. The engine's group gets those of the group
 * above, by value below the root (whose flags are not ours to change) and by inheritance below a configured parent.
 */
function makeCpuset(host: HostV1, root: string, shared: readonly string[], id: string): (MakeDirectory | WriteFile)[] {
  const group = [root, ...shared].join('/');
  const parent = [root, ...shared.slice(0, -1)].join('/');
  const engine: MakeDirectory = { op: 'make-directory', path: group, mode: 0o755 };
  const filled: (WriteFile | undefined)[] =
    parent === root
      ? [write(group, 'cpuset.cpus', host.cpuset?.cpus), write(group, 'cpuset.mems', host.cpuset?.mems)]
      : [];
  const inherit = (directory: string): WriteFile => ({
    op: 'write-file',
    path: `${directory}/cgroup.clone_children`,
    data: '1',
  });
  return [
    ...(parent === root ? [] : [{ op: 'make-directory', path: parent, mode: 0o755 } as const, inherit(parent)]),
    engine,
    ...filled.filter((each) => each !== undefined),
    inherit(group),
    { op: 'make-directory', path: `${group}/${id}`, mode: 0o755 },
  ];
}

/** `withSwap` is the present limit on memory and swap together. */
function limitWrites(
  directories: Directories,
  limits: CgroupLimits,
  host: HostV1,
  withSwap?: number | 'unlimited',
): WriteFile[] {
  const { memory, cpu, cpuset, pids, blkio, hugetlb } = directories;
  const writes: (WriteFile | undefined)[] = [
    ...(memory && limits.memory ? memoryWrites(memory, limits.memory, host.swap, withSwap) : []),
    write(memory, 'memory.soft_limit_in_bytes', limits.memoryReservation),
    write(memory, 'memory.swappiness', limits.memorySwappiness),
    write(memory, 'memory.oom_control', limits.oomKillDisable && 1),
    write(cpu, 'cpu.shares', limits.cpuShares),
    write(cpu, 'cpu.cfs_period_us', limits.cpuBandwidth?.period),
    write(cpu, 'cpu.cfs_quota_us', limits.cpuBandwidth?.quota === 'unlimited' ? -1 : limits.cpuBandwidth?.quota),
    write(pids, 'pids.max', limits.pids === 'unlimited' ? 'max' : limits.pids),
    write(cpuset, 'cpuset.cpus', limits.cpusetCpus),
    write(cpuset, 'cpuset.mems', limits.cpusetMems),
    ...(blkio === undefined ? [] : blockWrites(blkio, limits, host.blockWeightFiles)),
    ...(limits.hugepages ?? []).map(({ pageSize, limit }) =>
      write(hugetlb, `hugetlb.${pageSize}.limit_in_bytes`, limit),
    ),
  ];
  return writes.filter((each) => each !== undefined);
}

/** In the order of the rules; neighbours for the same file go together. */
function deviceWrites(directories: Directories, devices: readonly DeviceRule[] = defaultDeviceRules): WriteValues[] {
  const { devices: directory } = directories;
  if (directory === undefined) return [];
  const writes = [{ op: 'write-values' as const, path: `${directory}/devices.deny`, values: ['a'] }];
  for (const rule of devices) {
    const path = `${directory}/${rule.allow === false ? 'devices.deny' : 'devices.allow'}`;
    const last = writes.at(-1);
    if (last?.path === path) last.values.push(formatDeviceRule(rule));
    else writes.push({ op: 'write-values', path, values: [formatDeviceRule(rule)] });
  }
  return writes;
}

/** SIGKILL waits while a process is frozen. The supervisor may be the only one left to kill the container. */
function thawOnKill({ freezer }: Directories): PlanOperation[] {
  return freezer === undefined ? [] : [{ op: 'thaw-on-kill', path: `${freezer}/freezer.state`, data: 'THAWED' }];
}

function write(directory: string | undefined, file: string, data: string | number | undefined): WriteFile | undefined {
  if (directory === undefined || data === undefined) return undefined;
  return { op: 'write-file', path: `${directory}/${file}`, data: String(data) };
}
