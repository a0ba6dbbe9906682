import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { assembleDeviceProgram } from '../../cgroup/v2/device-program.js';
import type { JoinCgroup, PlanOperation } from '../../launch-plan.js';
import type { OciResources } from '../oci-resources.js';
import type { CgroupHierarchy, CgroupView } from './cgroup-view.js';
import { ociDeviceRules } from './oci-device-rules.js';
import { resourceWrites } from './resource-writes.js';

export interface OciCgroupPlan {
  /** For stage `prepare`; the joins are last. */
  readonly prepare: readonly PlanOperation[];
  readonly join: readonly JoinCgroup[];
  /**
   * The container's own directory in each hierarchy. Those above it stay when the container goes: another container may
   * just be about to be made in them.
   */
  readonly directories: readonly string[];
}

/** The small files of the cgroup file system, and whether a directory exists; replaceable in tests. */
export interface CgroupReader {
  /** Undefined when it does not exist. */
  text(path: string): string | undefined;
}

export const hostCgroupReader: CgroupReader = {
  text: (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined; // a missing file is the answer that is asked for
    }
  },
};

/** @throws EngineError `CONTROLLER_MISSING`, `INVALID_OCI_CONFIG`. */
export function planOciCgroup(
  view: CgroupView,
  resources: OciResources,
  reader: CgroupReader = hostCgroupReader,
): OciCgroupPlan {
  if (view.version === 'none') return { prepare: [], join: [], directories: [] };
  const directories = view.hierarchies.map((each) => `${each.directory}${view.path}`);
  const read = (controller: string, file: string): string | undefined => {
    const hierarchy = view.hierarchies.find((each) => each.version === 2 || each.controllers.includes(controller));
    return hierarchy === undefined ? undefined : reader.text(`${existingAbove(hierarchy, view.path, reader)}/${file}`);
  };
  const writes = resourceWrites(resources, view.version, view.hierarchies, read, 'create').map((each) => {
    const hierarchy = view.hierarchies.find(
      (candidate) => candidate.version === 2 || candidate.controllers.includes(each.controller),
    );
    return {
      op: 'write-file',
      path: `${hierarchy?.directory ?? ''}${view.path}/${each.file}`,
      data: each.data,
    } as const;
  });
  const join = directories.map((path): JoinCgroup => ({ op: 'join-cgroup', path }));
  return {
    prepare: [
      ...view.hierarchies.flatMap((each) => makeDirectories(each, view.path, resources, reader)),
      ...writes,
      ...deviceFilter(view, resources),
      ...join,
    ],
    join,
    directories,
  };
}

/** v2 has no file for devices. */
function deviceFilter(view: CgroupView, resources: OciResources): PlanOperation[] {
  const [hierarchy] = view.hierarchies;
  if (view.version !== 'v2' || hierarchy === undefined) return [];
  const program = assembleDeviceProgram(ociDeviceRules(resources.devices ?? []));
  return [{ op: 'device-filter', path: `${hierarchy.directory}${view.path}`, program }];
}

/** Every directory from the hierarchy's root (without it) down to the container's. */
function levels(hierarchy: CgroupHierarchy, path: string): string[] {
  const parts = path.split('/').filter(Boolean);
  return parts.map((_, index) => `${hierarchy.directory}/${parts.slice(0, index + 1).join('/')}`);
}

const exists = (directory: string, reader: CgroupReader): boolean =>
  reader.text(`${directory}/cgroup.procs`) !== undefined;

/** The deepest one that exists: a new group begins with its parent's values. */
function existingAbove(hierarchy: CgroupHierarchy, path: string, reader: CgroupReader): string {
  return levels(hierarchy, path).findLast((each) => exists(each, reader)) ?? hierarchy.directory;
}

function makeDirectories(
  hierarchy: CgroupHierarchy,
  path: string,
  resources: OciResources,
  reader: CgroupReader,
): PlanOperation[] {
  const make = (directory: string): PlanOperation => ({ op: 'make-directory', path: directory, mode: 0o755 });
  const all = levels(hierarchy, path);
  if (hierarchy.version === 2) {
    const wanted = hierarchy.controllers.filter((each) => neededControllers(resources).has(each));
    const handDown = (directory: string): PlanOperation[] => {
      const enabled = new Set((reader.text(`${directory}/cgroup.subtree_control`) ?? '').trim().split(/\s+/));
      const absent = wanted.filter((each) => !enabled.has(each));
      const data = absent.map((each) => `+${each}`).join(' ');
      return absent.length === 0 ? [] : [{ op: 'write-file', path: `${directory}/cgroup.subtree_control`, data }];
    };
    return all.flatMap((directory) => [...handDown(dirname(directory)), make(directory)]);
  }
  if (!hierarchy.controllers.includes('cpuset')) return all.map(make);
  return all.flatMap((directory) => [make(directory), ...inheritCpuset(hierarchy, directory, reader)]);
}

/** A new cpuset has neither processors nor memory, and takes no process before it has both. */
function inheritCpuset(hierarchy: CgroupHierarchy, directory: string, reader: CgroupReader): PlanOperation[] {
  return ['cpuset.cpus', 'cpuset.mems'].flatMap((file): PlanOperation[] => {
    if ((reader.text(`${directory}/${file}`) ?? '').trim() !== '') return [];
    for (let above = dirname(directory); above.length >= hierarchy.directory.length; above = dirname(above)) {
      const data = (reader.text(`${above}/${file}`) ?? '').trim();
      if (data !== '') return [{ op: 'write-file', path: `${directory}/${file}`, data }];
    }
    return [];
  });
}

/** Of v2: counters and updates need the first three anyway. */
function neededControllers(resources: OciResources): ReadonlySet<string> {
  const { cpu, blockIO, hugepageLimits, rdma, unified } = resources;
  return new Set([
    ...['memory', 'pids', 'cpu'],
    ...(cpu?.cpus || cpu?.mems ? ['cpuset'] : []),
    ...(blockIO === undefined ? [] : ['io']),
    ...(hugepageLimits === undefined ? [] : ['hugetlb']),
    ...(rdma === undefined ? [] : ['rdma']),
    ...Object.keys(unified ?? {}).map((file) => file.slice(0, file.indexOf('.'))),
  ]);
}
