import type { PlanOperation } from './launch-plan.js';
import { mountAttributeBits } from './mount-attribute-bits.js';
import type { NamespaceKind } from './namespace-kind.js';
import { setupOperationRows } from './setup-operation-table.js';
import { b, int32s, l, q, s, u, type WireValue } from './wire-value.js';

export type { WireValue } from './wire-value.js';

type OperationName = PlanOperation['op'];
type OperationOf<Name extends OperationName> = Extract<PlanOperation, { readonly op: Name }>;

interface Row<Name extends OperationName> {
  /** Number on the wire; the same as in native/src/operations.c. */
  readonly code: number;
  /** Kinds of the values, in order. */
  readonly signature: string;
  readonly values: (operation: OperationOf<Name>) => readonly WireValue[];
}

/** How each operation goes over the wire. native/src/operations.c has the same rows; a test compares the two. */
export const operationTable: { readonly [Name in OperationName]: Row<Name> } = {
  'make-directory': { code: 1, signature: 'su', values: (o) => [s(o.path), u(o.mode)] },
  'remove-directory': { code: 2, signature: 's', values: (o) => [s(o.path)] },
  'write-file': { code: 3, signature: 'ss', values: (o) => [s(o.path), s(o.data)] },
  'join-cgroup': { code: 4, signature: 's', values: (o) => [s(o.path)] },
  netlink: {
    code: 5,
    signature: 'ubb',
    values: (o) => [u(o.protocol === 'route' ? 0 : 1), b(o.messages), b(int32s(o.tolerate))],
  },
  'open-process': { code: 6, signature: 'uuq', values: (o) => [u(o.slot), u(o.pid), q(o.startTicks)] },
  'join-namespace': { code: 7, signature: 'uu', values: (o) => [u(o.slot), u(namespaceFlags(o.kinds))] },
  'reserve-port': {
    code: 8,
    signature: 'usu',
    values: (o) => [u(o.protocol === 'tcp' ? 0 : 1), s(o.address), u(o.port)],
  },
  'write-id-map': {
    code: 9,
    signature: 'us',
    values: (o) => [u(['uid', 'gid', 'setgroups'].indexOf(o.kind)), s(o.map)],
  },
  sync: { code: 10, signature: '', values: () => [] },
  unshare: { code: 11, signature: 'u', values: (o) => [u(namespaceFlags(o.kinds))] },
  propagation: { code: 12, signature: 'u', values: (o) => [u(propagationFlags[o.mode] | (o.alone ? 0 : MS_REC))] },
  'overlay-root': {
    code: 13,
    signature: 'lsssu',
    values: (o) => [l(o.lower), s(o.upper), s(o.work), s(o.target), u((o.volatile ? 1 : 0) | (o.userXattr ? 2 : 0))],
  },
  'bind-root': { code: 14, signature: 'ss', values: (o) => [s(o.source), s(o.target)] },
  'use-root': { code: 15, signature: 's', values: (o) => [s(o.path)] },
  mount: {
    code: 16,
    signature: 'sslqu',
    values: (o) => [
      s(o.type),
      s(o.target),
      l(o.options),
      q(mountAttributeBits(o.attributes).set),
      u(o.noLinks ? 1 : 0),
    ],
  },
  bind: {
    code: 17,
    signature: 'ssuqqu',
    values: (o) => {
      const { set, clear } = mountAttributeBits(o.attributes);
      return [s(o.source), s(o.target), u(o.recursive ? 1 : 0), q(set), q(clear), u(o.kind === 'file' ? 1 : 0)];
    },
  },
  node: {
    code: 18,
    signature: 'suuuuu',
    values: (o) => [s(o.path), u(fileTypes[o.kind] | o.mode), u(o.major), u(o.minor), u(o.uid), u(o.gid)],
  },
  symlink: { code: 19, signature: 'ss', values: (o) => [s(o.path), s(o.destination)] },
  'root-directory': { code: 20, signature: 'suuu', values: (o) => [s(o.path), u(o.mode), u(o.uid), u(o.gid)] },
  mask: { code: 21, signature: 's', values: (o) => [s(o.path)] },
  'readonly-path': { code: 22, signature: 's', values: (o) => [s(o.path)] },
  'pivot-root': { code: 23, signature: '', values: () => [] },
  'readonly-root': { code: 24, signature: '', values: () => [] },
  hostname: { code: 25, signature: 's', values: (o) => [s(o.name)] },
  domainname: { code: 26, signature: 's', values: (o) => [s(o.name)] },
  rlimit: { code: 27, signature: 'uqq', values: (o) => [u(o.resource), q(o.soft), q(o.hard)] },
  'oom-score': { code: 28, signature: 's', values: (o) => [s(String(o.score))] },
  umask: { code: 29, signature: 'u', values: (o) => [u(o.mask)] },
  session: { code: 30, signature: '', values: () => [] },
  terminal: { code: 31, signature: 'uu', values: (o) => [u(o.columns), u(o.rows)] },
  'working-directory': { code: 32, signature: 'su', values: (o) => [s(o.path), u(0)] },
  bounding: { code: 33, signature: 'q', values: (o) => [q(o.keep)] },
  identity: { code: 34, signature: 'uub', values: (o) => [u(o.uid), u(o.gid), b(int32s(o.groups))] },
  'named-identity': { code: 35, signature: 'sl', values: (o) => [s(o.user), l(o.groups)] },
  capabilities: {
    code: 36,
    signature: 'qqqq',
    values: (o) => [q(o.effective), q(o.permitted), q(o.inheritable), q(o.ambient)],
  },
  'no-new-privileges': { code: 37, signature: '', values: () => [] },
  seccomp: { code: 38, signature: 'ub', values: (o) => [u(o.flags), b(o.filter)] },
  'remove-tree': { code: 40, signature: 's', values: (o) => [s(o.path)] },
  execute: { code: 39, signature: 'll', values: (o) => [l(o.arguments), l(o.environment)] },
  ...setupOperationRows,
  'device-filter': { code: 80, signature: 'sb', values: (o) => [s(o.path), b(o.program)] },
  'new-network': { code: 81, signature: '', values: () => [] },
  'enter-network': { code: 82, signature: '', values: () => [] },
  'write-values': { code: 83, signature: 'sl', values: (o) => [s(o.path), l(o.values)] },
  'discard-tree': { code: 85, signature: 'ss', values: (o) => [s(o.path), s(o.trash)] },
  'make-file': { code: 84, signature: 'sus', values: (o) => [s(o.path), u(o.mode), s(o.data)] },
  'saved-operations': { code: 94, signature: 'su', values: (o) => [s(o.path), u(o.replaced)] },
  own: { code: 93, signature: 'luu', values: (o) => [l(o.paths), u(o.uid), u(o.gid)] },
  init: { code: 86, signature: '', values: () => [] },
  'kill-group': { code: 87, signature: 's', values: (o) => [s(o.path)] },
  scratch: { code: 89, signature: 's', values: (o) => [s(o.path)] },
  'thaw-on-kill': { code: 90, signature: 'ss', values: (o) => [s(o.path), s(o.data)] },
};

/** @see mount(2) */
const MS_REC = 0x4000;
const propagationFlags = { unbindable: 1 << 17, private: 1 << 18, slave: 1 << 19, shared: 1 << 20 } as const;

/** @see inode(7) */
const fileTypes = { fifo: 0o010000, char: 0o020000, block: 0o060000, file: 0o100000 } as const;

const cloneFlags: Readonly<Record<NamespaceKind, number>> = {
  time: 0x80,
  mount: 0x20000,
  cgroup: 0x2000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  net: 0x40000000,
};

/** CLONE_NEW… flags. @see clone(2) */
export function namespaceFlags(kinds: readonly NamespaceKind[]): number {
  return kinds.reduce((flags, kind) => (flags | cloneFlags[kind]) >>> 0, 0);
}
