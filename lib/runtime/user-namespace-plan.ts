import type { ContainerSpec, UserMaps } from './container-spec.js';
import { deviceForUsers } from './device-for-users.js';
import type { MountOperation, NodeOperation, PlanOperation } from './launch-plan.js';
import { mountAttributeBits } from './mount-attribute-bits.js';
import { mapLines, rootOf } from './user-maps.js';

/**
 * What is different for a container with a user namespace of its own: it may neither make device nodes nor open what only the
 * host's root may, so the shim makes these mounts, and the child, root of its namespace, puts them in place.
 */
export interface UserNamespacePlan {
  /** Last but the network. */
  readonly prepare: readonly PlanOperation[];
  /** First. */
  readonly parent: readonly PlanOperation[];
  /** The child's root, and its mounts and nodes in order. */
  readonly root: readonly PlanOperation[];
  readonly mounts: readonly PlanOperation[];
  readonly nodes: readonly PlanOperation[];
}

/** Number of the process slot that holds the maps. */
const USERS = 0;
const ROOT = 0;
const MS_PRIVATE = 1 << 18;

export function userNamespacePlan(spec: ContainerSpec, maps: UserMaps): UserNamespacePlan {
  const prepare: PlanOperation[] = [];
  let slots = ROOT;
  const nextSlot = (): number => {
    slots += 1;
    return slots;
  };
  const own = new Set(spec.files.map(({ path }) => path));
  const mounts = spec.mounts.map((mount) => (mount.op === 'bind' ? bind(mount, own, nextSlot(), prepare) : mount));
  const nodes = spec.nodes.map((node) => (isDevice(node) ? device(node, nextSlot(), prepare) : node));
  const uidMap = mapLines(maps.uids);
  const gidMap = mapLines(maps.gids);
  const root = rootOf(maps);
  return {
    prepare: [{ op: 'map-users', slot: USERS, uidMap, gidMap }, ...makeRoot(spec, root), ...prepare],
    parent: [
      { op: 'write-id-map', kind: 'uid', map: uidMap },
      { op: 'write-id-map', kind: 'gid', map: gidMap },
      // Programs that are root inside open /dev/stdout, which is a pipe of the host's root.
      { op: 'stdio-owner', ...root },
    ],
    root: [{ op: 'place-root', slot: ROOT, path: spec.rootTarget }, { op: 'become-root' }],
    mounts,
    nodes,
  };
}

function makeRoot(
  { root, rootTarget }: ContainerSpec,
  ids: { readonly uid: number; readonly gid: number },
): PlanOperation[] {
  if (root.type === 'bind') return copyOf(root.source, ROOT, true, 0n, USERS);
  const { lower, upper, work, volatile } = root;
  return [{ op: 'mapped-overlay', slot: ROOT, users: USERS, lower, upper, work, target: rootTarget, volatile, ...ids }];
}

/** Files of the engine belong to root inside; what the user mounts belongs to whom it belongs on the host. */
function bind(
  mount: Extract<MountOperation, { readonly op: 'bind' }>,
  own: ReadonlySet<string>,
  slot: number,
  prepare: PlanOperation[],
): PlanOperation {
  const { set } = mountAttributeBits(mount.attributes);
  const users = own.has(mount.source) ? USERS : undefined;
  prepare.push(...copyOf(mount.source, slot, mount.recursive, set, users));
  return { op: 'place-mount', slot, target: mount.target, noLinks: false, ...plainly };
}

function device(node: DeviceNode, slot: number, prepare: PlanOperation[]): PlanOperation {
  prepare.push(...deviceForUsers(node, slot));
  return { op: 'place-mount', slot, target: node.path, noLinks: node.path.startsWith('/dev/'), ...plainly };
}

const plainly = { copyUp: false, inheritMode: false, noFollow: false } as const;

function copyOf(
  source: string,
  slot: number,
  recursive: boolean,
  set: bigint,
  idMapSlot: number | undefined,
): PlanOperation[] {
  return [
    { op: 'make-mount', slot, type: '', source, options: [], recursive, noFollow: false },
    { op: 'mount-attributes', slot, set, clear: 0n, propagation: MS_PRIVATE, recursive, idMapSlot },
  ];
}

type DeviceNode = Extract<NodeOperation, { readonly op: 'node' }> & { readonly kind: 'char' | 'block' };

const isDevice = (node: NodeOperation): node is DeviceNode =>
  node.op === 'node' && (node.kind === 'char' || node.kind === 'block');
