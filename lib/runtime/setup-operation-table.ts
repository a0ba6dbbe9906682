import type { SetupOperation } from './setup-operation.js';
import { b, int32s, l, q, s, u, type WireValue } from './wire-value.js';

type Name = SetupOperation['op'];
type Rows = {
  readonly [N in Name]: {
    readonly code: number;
    readonly signature: string;
    readonly values: (operation: Extract<SetupOperation, { readonly op: N }>) => readonly WireValue[];
  };
};

/** How the operations of {@link SetupOperation} go over the wire: part of `operationTable`. */
export const setupOperationRows: Rows = {
  'borrow-mount': { code: 88, signature: 'uus', values: (o) => [u(o.slot), u(o.target), s(o.path)] },
  'make-mount': {
    code: 41,
    signature: 'usslu',
    values: (o) => [u(o.slot), s(o.type), s(o.source), l(o.options), u((o.recursive ? 1 : 0) | (o.noFollow ? 2 : 0))],
  },
  'mount-attributes': {
    code: 42,
    signature: 'uqqquu',
    values: (o) => [
      u(o.slot),
      q(o.set),
      q(o.clear),
      q(BigInt(o.propagation)),
      u(o.recursive ? 1 : 0),
      u(o.idMapSlot ?? NO_SLOT),
    ],
  },
  'place-mount': {
    code: 43,
    signature: 'usu',
    values: (o) => [
      u(o.slot),
      s(o.target),
      u((o.noLinks ? 1 : 0) | (o.copyUp ? 2 : 0) | (o.inheritMode ? 4 : 0) | (o.noFollow ? 8 : 0)),
    ],
  },
  'place-root': { code: 44, signature: 'us', values: (o) => [u(o.slot), s(o.path)] },
  'make-node-mount': {
    code: 45,
    signature: 'uuuuuu',
    values: (o) => [u(o.slot), u(fileTypes[o.kind] | o.mode), u(o.major), u(o.minor), u(o.uid), u(o.gid)],
  },
  'map-users': { code: 46, signature: 'uss', values: (o) => [u(o.slot), s(o.uidMap), s(o.gidMap)] },
  'open-namespace': { code: 47, signature: 'usu', values: (o) => [u(o.slot), s(o.path), u(namespaceBits[o.kind])] },
  'time-namespace': { code: 48, signature: 's', values: (o) => [s(o.offsets)] },
  'release-child': { code: 49, signature: '', values: () => [] },
  'await-child': { code: 50, signature: '', values: () => [] },
  ready: { code: 51, signature: '', values: () => [] },
  'await-start': { code: 52, signature: '', values: () => [] },
  listen: { code: 53, signature: 's', values: (o) => [s(o.path)] },
  connect: { code: 54, signature: 'us', values: (o) => [u(o.slot), s(o.path)] },
  'run-hook': {
    code: 55,
    signature: 'sllusss',
    values: (o) => [
      s(o.path),
      l(o.arguments),
      l(o.environment),
      u(o.timeoutSeconds),
      s(o.directory),
      s(o.before),
      s(o.after),
    ],
  },
  'mapped-overlay': {
    code: 92,
    signature: 'uulsssuuu',
    values: (o) => [
      u(o.slot),
      u(o.users),
      l(o.lower),
      s(o.upper),
      s(o.work),
      s(o.target),
      u(o.volatile ? 1 : 0),
      u(o.uid),
      u(o.gid),
    ],
  },
  delegate: {
    code: 91,
    signature: 'slssslllsss',
    values: (o) => [
      s(o.user),
      l(o.groups),
      s(o.config),
      s(o.before),
      s(o.after),
      l(o.create),
      l(o.start),
      l(o.environment),
      s(o.pidFile),
      s(o.log),
      s(o.consoleSocket),
    ],
  },
  revive: {
    code: 95,
    signature: 'lllss',
    values: (o) => [l(o.arguments), l(o.environment), l(o.protectedSources), s(o.pidFile), s(o.log)],
  },
  console: { code: 56, signature: 'uuu', values: (o) => [u(o.slot), u(o.columns), u(o.rows)] },
  'seccomp-notify': {
    code: 57,
    signature: 'ubuss',
    values: (o) => [u(o.flags), b(o.filter), u(o.slot), s(o.before), s(o.after)],
  },
  personality: { code: 58, signature: 'u', values: (o) => [u(o.domain)] },
  scheduler: {
    code: 59,
    signature: 'uuuqqqq',
    values: (o) => [u(o.policy), u(o.nice), u(o.priority), q(o.flags), q(o.runtime), q(o.deadline), q(o.period)],
  },
  'io-priority': { code: 60, signature: 'u', values: (o) => [u(o.value)] },
  'cpu-affinity': { code: 61, signature: 'b', values: (o) => [b(bitMask(o.processors))] },
  'memory-policy': { code: 62, signature: 'ub', values: (o) => [u(o.mode), b(bitMask(o.nodes))] },
  label: { code: 63, signature: 'ss', values: (o) => [s(o.file), s(o.label)] },
  'stdio-owner': { code: 64, signature: 'uu', values: (o) => [u(o.uid), u(o.gid)] },
  'become-root': { code: 65, signature: '', values: () => [] },
  'keep-descriptors': { code: 66, signature: 'b', values: (o) => [b(int32s(o.numbers))] },
  'find-home': { code: 67, signature: 'u', values: (o) => [u(o.uid)] },
  'change-root': { code: 68, signature: '', values: () => [] },
  'ensure-node': {
    code: 69,
    signature: 'suuuuu',
    values: (o) => [s(o.path), u(fileTypes[o.kind] | o.mode), u(o.major), u(o.minor), u(o.uid), u(o.gid)],
  },
  'find-program': { code: 71, signature: 'ss', values: (o) => [s(o.program), s(o.search)] },
  'fork-again': { code: 72, signature: '', values: () => [] },
  'await-fork': { code: 73, signature: '', values: () => [] },
  'hand-over': { code: 70, signature: '', values: () => [] },
};

const NO_SLOT = 0xffff_ffff;

/** @see inode(7) */
const fileTypes = { fifo: 0o010000, char: 0o020000, block: 0o060000, file: 0o100000 } as const;

/** CLONE_NEW… as NS_GET_NSTYPE gives them. @see ioctl_nsfs(2) */
const namespaceBits = {
  time: 0x80,
  mount: 0x20000,
  cgroup: 0x2000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  net: 0x40000000,
} as const;

/** Words of 64 bits, little-endian; empty for no number. */
function bitMask(numbers: readonly number[]): Uint8Array {
  const words = numbers.length === 0 ? 0 : Math.floor(Math.max(...numbers) / 64) + 1;
  const mask = new Uint8Array(words * 8);
  for (const each of numbers) {
    const index = each >> 3;
    mask[index] = (mask[index] ?? 0) | (1 << (each & 7));
  }
  return mask;
}
