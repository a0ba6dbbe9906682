import { lstatSync, readlinkSync } from 'node:fs';
import { isAbsolute, join, normalize } from 'node:path';
import type { PlanOperation } from '../launch-plan.js';
import type { CgroupView } from './cgroup/cgroup-view.js';
import { planCgroupMount } from './cgroup/plan-cgroup-mount.js';
import { idMapLines } from './id-maps.js';
import { invalidConfig } from './invalid-config.js';
import { type MountOptions, parseMountOptions } from './mount-options.js';
import type { OciConfig, OciMount } from './oci-config.js';
import type { OciIdMapping } from './oci-linux.js';
import type { NamespacePlan } from './plan-namespaces.js';
import type { Slots } from './slots.js';

/** What is to be done where. Order within each is the order of the configuration. */
export interface MountPlan {
  /** With the host's rights. */
  readonly prepare: readonly PlanOperation[];
  readonly child: readonly PlanOperation[];
}

export interface MountSources {
  readonly config: OciConfig;
  readonly bundle: string;
  readonly namespaces: NamespacePlan;
  readonly slots: Slots;
  readonly cgroup: CgroupView;
}

const MS_PRIVATE = 1 << 18;

/** The mounts of a configuration, in its order. */
export function planMounts(sources: MountSources): MountPlan {
  const prepare: PlanOperation[] = [];
  const child: PlanOperation[] = [];
  for (const [index, mount] of (sources.config.mounts ?? []).entries()) {
    const path = `config.json.mounts[${index}]`;
    const options = parseMountOptions(mount.options ?? [], mount.type ?? '');
    const showsCgroups = !options.bind && (mount.type === 'cgroup' || mount.type === 'cgroup2');
    const target = targetOf(mount, path);
    if (target === '/' && options.copyUp) invalidConfig(path, 'tmpcopyup on / has nothing to copy');
    if (showsCgroups) child.push(...planCgroupMount(target, options, sources.cgroup, sources.slots, prepare));
    else if (options.bind) planBind(sources, mount, options, target, prepare, child, path);
    else planFileSystem(sources, mount, options, target, prepare, child);
  }
  return { prepare, child };
}

/** Relative destinations are of older versions of the specification: below the root. */
function targetOf(mount: OciMount, path: string): string {
  const target = normalize(join('/', mount.destination));
  if (mount.destination === '') invalidConfig(`${path}.destination`, 'expected a path');
  return target.length > 1 && target.endsWith('/') ? target.slice(0, -1) : target;
}

function planBind(
  sources: MountSources,
  mount: OciMount,
  options: MountOptions,
  target: string,
  prepare: PlanOperation[],
  into: PlanOperation[],
  path: string,
): void {
  if (mount.source === undefined || mount.source === '') invalidConfig(`${path}.source`, 'expected a path');
  const source = isAbsolute(mount.source) ? mount.source : join(sources.bundle, mount.source);
  if (options.copySymlink && isSymlink(source)) {
    into.push({ op: 'symlink', path: target, destination: readlinkSync(source) });
    return;
  }
  const slot = sources.slots.mount();
  prepare.push({
    op: 'make-mount',
    slot,
    type: '',
    source,
    options: [],
    recursive: options.recursiveBind,
    noFollow: options.sourceNoFollow,
  });
  prepare.push(...planIdMap(sources, mount, options, slot, path));
  prepare.push(...attributes(slot, options, options.recursiveBind));
  into.push({
    op: 'place-mount',
    slot,
    target,
    noLinks: target === '/proc' || target.startsWith('/proc/'),
    copyUp: false,
    inheritMode: false,
    noFollow: options.destinationNoFollow,
  });
}

function isSymlink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** Kernel file systems whose mount needs a namespace that the container's user namespace owns; else the host's is shown. */
const ownedBy = { proc: 'pid', sysfs: 'net', mqueue: 'ipc' } as const;

function planFileSystem(
  sources: MountSources,
  mount: OciMount,
  options: MountOptions,
  target: string,
  prepare: PlanOperation[],
  into: PlanOperation[],
): void {
  const type = mount.type ?? '';
  const { namespaces, slots } = sources;
  const slot = slots.mount();
  const owner = Object.hasOwn(ownedBy, type) ? ownedBy[type as keyof typeof ownedBy] : undefined;
  const place = {
    op: 'place-mount',
    slot,
    target,
    noLinks: ['/proc', '/sys', '/dev'].some((each) => target === each || target.startsWith(`${each}/`)),
    copyUp: options.copyUp,
    inheritMode: type === 'tmpfs' && !options.data.some((each) => each.startsWith('mode=')) && !options.copyUp,
    noFollow: false,
  } as const;
  if (namespaces.newUser && owner !== undefined && !namespaces.fresh.has(owner)) {
    const source = type === 'mqueue' ? '/dev/mqueue' : `/${type === 'sysfs' ? 'sys' : 'proc'}`;
    prepare.push({ op: 'make-mount', slot, type: '', source, options: [], recursive: true, noFollow: false });
    const everywhere = { ...options, recursiveSet: options.set, recursiveClear: options.clear };
    prepare.push(...attributes(slot, everywhere, true));
    into.push({ ...place, inheritMode: false });
    return;
  }
  const source = mount.source === undefined || mount.source === '' ? type : mount.source;
  into.push(
    {
      op: 'make-mount',
      slot,
      type,
      source: '',
      options: [`source=${source}`, ...options.data],
      recursive: false,
      noFollow: false,
    },
    place,
    ...attributes(slot, options, false),
  );
}

function attributes(slot: number, options: MountOptions, recursiveBind: boolean): PlanOperation[] {
  const base = { op: 'mount-attributes', slot, idMapSlot: undefined } as const;
  const propagation = options.propagation === 0 ? MS_PRIVATE : options.propagation;
  const deepPropagation = options.propagation === 0 ? recursiveBind : options.recursivePropagation;
  const result: PlanOperation[] = [
    { ...base, set: 0n, clear: 0n, propagation, recursive: deepPropagation && recursiveBind },
  ];
  if (options.recursiveSet !== 0n || options.recursiveClear !== 0n)
    result.push({
      ...base,
      set: options.recursiveSet,
      clear: options.recursiveClear,
      propagation: 0,
      recursive: true,
    });
  if (options.set !== 0n || options.clear !== 0n)
    result.push({ ...base, set: options.set, clear: options.clear, propagation: 0, recursive: false });
  return result;
}

/** An idmapped mount has maps of its own, or those of the container's user namespace. @see mount_setattr(2) */
function planIdMap(
  sources: MountSources,
  mount: OciMount,
  options: MountOptions,
  slot: number,
  path: string,
): PlanOperation[] {
  const inOptions = options.idMapText === undefined ? undefined : parseIdMapText(options.idMapText, path);
  const wanted = options.idMap !== 'none' || mount.uidMappings !== undefined || mount.gidMappings !== undefined;
  if (!wanted) return [];
  const { linux } = sources.config;
  const users = inOptions?.users ?? mount.uidMappings ?? linux?.uidMappings;
  const groups = inOptions?.groups ?? mount.gidMappings ?? linux?.gidMappings;
  if (users === undefined || groups === undefined)
    return invalidConfig(path, 'an idmapped mount needs uidMappings and gidMappings');
  const idMapSlot = sources.slots.target();
  const recursive = options.idMap === 'ridmap';
  return [
    { op: 'map-users', slot: idMapSlot, uidMap: idMapLines(users), gidMap: idMapLines(groups) },
    { op: 'mount-attributes', slot, set: 0n, clear: 0n, propagation: 0, recursive, idMapSlot },
  ];
}

/** `uids=CONTAINER-HOST-SIZE#…;gids=…`, as crun's option has it. */
function parseIdMapText(text: string, path: string): { users: OciIdMapping[]; groups: OciIdMapping[] } {
  const parts = new Map(
    text.split(';').map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
  );
  const parse = (list: string | undefined): OciIdMapping[] =>
    (list ?? '').split('#').map((each) => {
      const match = /^(\d{1,10})-(\d{1,10})-(\d{1,10})$/.exec(each);
      if (match === null) return invalidConfig(path, `idmap option '${text}' has a malformed part '${each}'`);
      return { containerID: Number(match[1]), hostID: Number(match[2]), size: Number(match[3]) };
    });
  return { users: parse(parts.get('uids')), groups: parse(parts.get('gids')) };
}
