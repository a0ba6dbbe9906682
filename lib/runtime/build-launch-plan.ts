import type { RootMount } from '../core/mount.js';
import { capabilityMask } from './capabilities.js';
import type { ContainerSpec, HostFile, JoinSpec, ProcessSpec, SpecUser } from './container-spec.js';
import type { LaunchPlan, NodeOperation, PlanOperation } from './launch-plan.js';
import type { NamespaceKind } from './namespace-kind.js';
import { userNamespacePlan } from './user-namespace-plan.js';

/**
 * The plan that starts a container.
 *
 * The order is the security argument: the root and all mounts come into being while the child still holds every
 * capability but runs nothing of the image; the old root goes away; then rights are given up one after the other; the
 * program comes last.
 */
export function buildLaunchPlan(spec: ContainerSpec): LaunchPlan {
  const newCgroupNamespace = spec.namespaces.includes('cgroup');
  const network = placeNetwork(spec);
  const parent = [...spec.cgroup.parent, ...network.parent];
  const users = spec.userMaps === undefined ? undefined : userNamespacePlan(spec, spec.userMaps);
  const isAlone = spec.namespaces.includes('pid') && users === undefined;
  const sharesMemory = parent.length === 0 && isAlone && spec.process.init !== true;
  return {
    namespaces: spec.namespaces.filter((kind) => !network.made.includes(kind)),
    sharesMemory,
    prepare: [
      ...joinInShim(spec),
      ...prepareHost(spec),
      ...(spec.savedCgroup === undefined
        ? []
        : [{ op: 'saved-operations', path: spec.savedCgroup, replaced: spec.cgroup.prepare.length } as const]),
      ...spec.cgroup.prepare,
      ...(users?.prepare ?? []),
      ...network.prepare,
    ],
    parent: [...(users?.parent ?? []), ...parent],
    child: [
      // Before its maps are written nobody is root of a user namespace.
      ...(users === undefined ? [] : [{ op: 'sync' } as const]),
      ...joinInChild(spec),
      { op: 'propagation', mode: 'slave' },
      ...(users?.root ?? rootOperations(spec.root, spec.rootTarget)),
      ...(users?.mounts ?? spec.mounts),
      ...sharedMemory(spec),
      ...(users?.nodes ?? spec.nodes),
      ...workingDirectory(spec.process.workingDirectory),
      ...(sharesMemory || users !== undefined ? [] : [{ op: 'sync' } as const]),
      ...(newCgroupNamespace ? [{ op: 'unshare', kinds: ['cgroup'] } as const] : []),
      ...spec.cgroupMounts,
      ...spec.cgroup.child,
      ...network.child,
      ...(spec.namespaces.includes('uts') ? [{ op: 'hostname', name: spec.hostname } as const] : []),
      ...(spec.domainname === undefined ? [] : [{ op: 'domainname', name: spec.domainname } as const]),
      ...(spec.sysctls ?? []),
      ...spec.readonlyPaths.map((path) => ({ op: 'readonly-path', path }) as const),
      ...spec.maskedPaths.map((path) => ({ op: 'mask', path }) as const),
      ...oomScore(spec.process),
      { op: 'session' },
      ...terminal(spec.process),
      ...(spec.process.labels ?? []),
      ...(spec.readonlyRoot ? [{ op: 'readonly-root' } as const] : []),
      { op: 'pivot-root' },
      ...becomeProgram(spec.process),
    ],
    cleanup: cleanHost(spec),
  };
}

/** What is made on the host before anything else. */
export function prepareHost(spec: ContainerSpec): readonly PlanOperation[] {
  return [
    ...(spec.killedGroup === undefined ? [] : [{ op: 'kill-group', path: spec.killedGroup } as const]),
    ...(spec.renewed ?? []).flatMap(renew),
    ...spec.files.map(makeFile),
  ];
}

/** What of a container goes with its end. */
export function cleanHost({ network, cgroup, removeAtEnd }: ContainerSpec): readonly PlanOperation[] {
  return [
    ...network.cleanup,
    ...cgroup.cleanup,
    ...removeAtEnd.map(
      ({ path, trash }): PlanOperation =>
        trash === undefined ? { op: 'remove-tree', path } : { op: 'discard-tree', path, trash },
    ),
  ];
}

/** The shim takes hold of those whose namespaces are joined. A PID namespace is for its children. */
function joinInShim({ joined = [], sharesMemoryFiles }: ContainerSpec): PlanOperation[] {
  return joined.flatMap(({ kind, target }, slot): PlanOperation[] => [
    { op: 'open-process', slot, ...target },
    ...(kind === 'pid' ? [{ op: 'join-namespace', slot, kinds: [kind] } as const] : []),
    ...(kind === 'ipc' && sharesMemoryFiles === true
      ? [{ op: 'borrow-mount', slot: SHM_SLOT, target: slot, path: '/dev/shm' } as const]
      : []),
  ]);
}

function joinInChild({ joined = [] }: ContainerSpec): PlanOperation[] {
  return joined.flatMap(({ kind }, slot): PlanOperation[] =>
    kind === 'pid' ? [] : [{ op: 'join-namespace', slot, kinds: [kind] }],
  );
}

const SHM_SLOT = 0;

function sharedMemory({ sharesMemoryFiles }: ContainerSpec): PlanOperation[] {
  if (sharesMemoryFiles !== true) return [];
  const how = { noLinks: true, copyUp: false, inheritMode: false, noFollow: false };
  return [{ op: 'place-mount', slot: SHM_SLOT, target: '/dev/shm', ...how }];
}

const renew = (path: string): PlanOperation[] => [
  { op: 'remove-tree', path },
  { op: 'make-directory', path, mode: 0o700 },
];

const makeFile = ({ path, mode, content }: HostFile): PlanOperation => {
  return { op: 'make-file', path, mode, data: content };
};

/**
 * The shim makes the network namespace itself, and all of the network before there is a child: nobody has to wait for
 * anybody. Not so with a user namespace, to which the network must belong.
 */
export function placeNetwork({ namespaces, network }: ContainerSpec) {
  const { prepare, parent, child } = network;
  // The cgroup namespace is entered by `unshare`: its root is the cgroup that the child is in at that moment.
  if (namespaces.includes('user') || !namespaces.includes('net')) {
    return { made: ['cgroup'] as readonly NamespaceKind[], prepare, parent, child };
  }
  return {
    made: ['cgroup', 'net'] as readonly NamespaceKind[],
    prepare: [...prepare, { op: 'new-network' } as const, ...parent, { op: 'enter-network' } as const, ...child],
    parent: [],
    child: [],
  };
}

/** The plan of a process that joins a running container. */
export function buildJoinPlan(spec: JoinSpec): LaunchPlan {
  const others = spec.namespaces.filter((kind) => kind !== 'pid');
  const sharesMemory = spec.cgroup.parent.length === 0 && !mayTrace(spec.process);
  return {
    namespaces: [],
    sharesMemory,
    prepare: [
      { op: 'open-process', slot: 0, pid: spec.target.pid, startTicks: spec.target.startTicks },
      ...spec.cgroup.prepare,
      // setns(2) to a PID namespace is for children: the shim itself stays outside, where nobody inside can see it.
      ...(spec.namespaces.includes('pid') ? [{ op: 'join-namespace', slot: 0, kinds: ['pid'] } as const] : []),
    ],
    parent: spec.cgroup.parent,
    child: [
      ...oomScore(spec.process),
      ...(sharesMemory ? [] : [{ op: 'sync' } as const]),
      { op: 'join-namespace', slot: 0, kinds: others },
      ...(others.includes('user') ? [{ op: 'become-root' } as const] : []),
      { op: 'use-root', path: '/' },
      { op: 'session' },
      ...terminal(spec.process),
      ...(spec.process.labels ?? []),
      ...becomeProgram(spec.process),
    ],
    cleanup: spec.cgroup.cleanup,
  };
}

/** Whether processes of the container could look into one that joins them, and change it, before it is one of them. */
function mayTrace({ capabilities }: ProcessSpec): boolean {
  return (capabilities.bounding & capabilityMask(['SYS_PTRACE'])) !== 0n;
}

export function rootOperations(root: RootMount, target: string): PlanOperation[] {
  if (root.type === 'bind') return [{ op: 'bind-root', source: root.source, target }];
  const { lower, volatile } = root;
  const overlay = { op: 'overlay-root', lower, target, volatile, userXattr: false } as const;
  if (root.inMemory !== true) return [{ ...overlay, upper: root.upper, work: root.work }];
  return [
    { op: 'scratch', path: target },
    { ...overlay, upper: `${target}/upper`, work: `${target}/work` },
  ];
}

/** A missing working directory is made, as Docker does it. */
function workingDirectory(path: string): readonly NodeOperation[] {
  return path === '/' ? [] : [{ op: 'root-directory', path, mode: 0o755, uid: 0, gid: 0 }];
}

function oomScore(process: ProcessSpec): readonly PlanOperation[] {
  return process.oomScoreAdjust === undefined ? [] : [{ op: 'oom-score', score: process.oomScoreAdjust }];
}

function terminal(process: ProcessSpec): readonly PlanOperation[] {
  return process.terminal === undefined ? [] : [{ op: 'terminal', ...process.terminal }];
}

/**
 * The last steps, common to both plans. A filter needs either no_new_privs or CAP_SYS_ADMIN to be installed, so without
 * the former it comes before capabilities are given up. @see seccomp(2)
 */
function becomeProgram(process: ProcessSpec): readonly PlanOperation[] {
  const { capabilities, seccomp, noNewPrivileges } = process;
  const filter: readonly PlanOperation[] =
    seccomp === undefined ? [] : [{ op: 'seccomp', flags: seccomp.flags, filter: seccomp.filter }];
  return [
    ...process.resourceLimits.map((limit) => ({ op: 'rlimit', ...limit }) as const),
    { op: 'umask', mask: 0o022 },
    { op: 'bounding', keep: capabilities.bounding },
    ...(noNewPrivileges ? [{ op: 'no-new-privileges' } as const] : filter),
    identity(process.user),
    {
      op: 'capabilities',
      effective: capabilities.effective,
      permitted: capabilities.effective,
      inheritable: capabilities.inheritable,
      ambient: capabilities.ambient,
    },
    { op: 'working-directory', path: process.workingDirectory },
    ...(process.init === true ? [{ op: 'init' } as const] : []),
    ...(noNewPrivileges ? filter : []),
    { op: 'execute', arguments: process.arguments, environment: process.environment },
  ];
}

function identity(user: SpecUser): PlanOperation {
  return user.kind === 'named'
    ? { op: 'named-identity', user: user.user, groups: user.groups }
    : { op: 'identity', uid: user.uid, gid: user.gid, groups: user.groups };
}
