import { basename } from 'node:path';
import type { PlanOperation } from '../../launch-plan.js';
import type { MountOptions } from '../mount-options.js';
import type { Slots } from '../slots.js';
import type { CgroupHierarchy, CgroupView } from './cgroup-view.js';

const MS_PRIVATE = 1 << 18;
const READ_ONLY = 1n;
/** MOUNT_ATTR_NOSUID, NODEV, NOEXEC */
const SAFE = 0xen;

/**
 * The mount of type `cgroup` of a configuration. With a cgroup namespace of its own the container mounts the
 * hierarchies, which then begin at its group; without one it gets a view of its group from the host.
 */
export function planCgroupMount(
  target: string,
  options: MountOptions,
  view: CgroupView,
  slots: Slots,
  prepare: PlanOperation[],
): PlanOperation[] {
  const v2 = view.hierarchies.find((each) => each.version === 2);
  if (view.version === 'none') return planEmpty(target, options, slots);
  if (view.version === 'v2' && v2 !== undefined) return planHierarchy(target, v2, options, view, slots, prepare);
  const shown = view.hierarchies.filter((each) => each.version === 1);
  const base = slots.mount();
  const links = shown.flatMap((each) => {
    const name = basename(each.directory);
    return name.includes(',') ? name.split(',').map((alias) => ({ alias, name })) : [];
  });
  return [
    {
      op: 'make-mount',
      slot: base,
      type: 'tmpfs',
      source: '',
      options: ['source=tmpfs', 'mode=755'],
      recursive: false,
      noFollow: false,
    },
    {
      op: 'mount-attributes',
      slot: base,
      set: SAFE,
      clear: 0n,
      propagation: 0,
      recursive: false,
      idMapSlot: undefined,
    },
    place(base, target),
    ...shown.flatMap((each) =>
      planHierarchy(`${target}/${basename(each.directory)}`, each, options, view, slots, prepare),
    ),
    ...links.map(
      ({ alias, name }): PlanOperation => ({ op: 'symlink', path: `${target}/${alias}`, destination: name }),
    ),
    ...planAttributes({ ...options, set: options.set & READ_ONLY }, [base]),
  ];
}

/** Without cgroups there is nothing to show, but programs expect the directory. */
function planEmpty(target: string, options: MountOptions, slots: Slots): PlanOperation[] {
  const slot = slots.mount();
  return [
    { op: 'make-mount', slot, type: 'tmpfs', source: '', options: ['mode=755'], recursive: false, noFollow: false },
    place(slot, target),
    ...planAttributes(options, [slot]),
  ];
}

function planHierarchy(
  target: string,
  hierarchy: CgroupHierarchy,
  options: MountOptions,
  view: CgroupView,
  slots: Slots,
  prepare: PlanOperation[],
): PlanOperation[] {
  const slot = slots.mount();
  const attributes: PlanOperation[] = [
    {
      op: 'mount-attributes',
      slot,
      set: options.set | options.recursiveSet,
      clear: options.clear | options.recursiveClear,
      propagation: MS_PRIVATE,
      recursive: false,
      idMapSlot: undefined,
    },
  ];
  if (!view.newNamespace) {
    const source = `${hierarchy.directory}${view.path}`;
    prepare.push(
      { op: 'make-mount', slot, type: '', source, options: [], recursive: false, noFollow: false },
      ...attributes,
    );
    return [place(slot, target)];
  }
  const type = hierarchy.version === 2 ? 'cgroup2' : 'cgroup';
  const named = hierarchy.controllers.find((each) => each.startsWith('name='));
  const controllers = named === undefined ? hierarchy.controllers : ['none', named];
  return [
    {
      op: 'make-mount',
      slot,
      type,
      source: '',
      options: ['source=cgroup', ...(hierarchy.version === 2 ? options.data : controllers)],
      recursive: false,
      noFollow: false,
    },
    place(slot, target),
    ...attributes,
  ];
}

function place(slot: number, target: string): PlanOperation {
  return {
    op: 'place-mount',
    slot,
    target,
    noLinks: true,
    copyUp: false,
    inheritMode: false,
    noFollow: false,
  };
}

/** The directory that holds the hierarchies becomes read-only last, when they are all there. */
function planAttributes(options: MountOptions, mounted: readonly number[]): PlanOperation[] {
  if (options.set === 0n) return [];
  return mounted.map((slot) => {
    return {
      op: 'mount-attributes',
      slot,
      set: options.set,
      clear: 0n,
      propagation: 0,
      recursive: false,
      idMapSlot: undefined,
    } as const;
  });
}
