import type { PlanOperation } from '#lib/runtime/launch-plan.js';
import type { DecodedValue } from './decode-plan.js';

const int32s = (...values: number[]): Buffer => Buffer.from(new Int32Array(values).buffer);
const NONE = 0xffff_ffff;

/** Every operation of setup-operation.ts once, with what must arrive on the other side. */
export const setupOperationSamples: readonly (readonly [PlanOperation, readonly DecodedValue[]])[] = [
  [
    {
      ...{ op: 'delegate', user: 'u', groups: ['g'], config: '/c', before: '{', after: '}', create: ['/r', 'create'] },
      ...{ start: ['/r', 'start'], environment: ['A=1'], pidFile: '/p', log: '/l', consoleSocket: '/s' },
    },
    ['u', ['g'], '/c', '{', '}', ['/r', 'create'], ['/r', 'start'], ['A=1'], '/p', '/l', '/s'],
  ],
  [
    {
      op: 'revive',
      arguments: ['/r', 'restore'],
      environment: ['A=1'],
      protectedSources: ['/g'],
      pidFile: '/p',
      log: '/l',
    },
    [['/r', 'restore'], ['A=1'], ['/g'], '/p', '/l'],
  ],
  [
    {
      ...{ op: 'mapped-overlay', slot: 2, users: 1, lower: ['/a', '/b'], upper: '/u', work: '/w', target: '/t' },
      ...{ volatile: true, uid: 5, gid: 6 },
    },
    [2, 1, ['/a', '/b'], '/u', '/w', '/t', 1, 5, 6],
  ],
  [{ op: 'borrow-mount', slot: 3, target: 1, path: '/dev/shm' }, [3, 1, '/dev/shm']],
  [
    { op: 'make-mount', slot: 3, type: '', source: '/s', options: ['a=b'], recursive: true, noFollow: false },
    [3, '', '/s', ['a=b'], 1],
  ],
  [
    {
      op: 'mount-attributes',
      slot: 3,
      set: 1n,
      clear: 0x70n,
      propagation: 1 << 18,
      recursive: true,
      idMapSlot: undefined,
    },
    [3, 1n, 0x70n, 0x4_0000n, 1, NONE],
  ],
  [
    { op: 'place-mount', slot: 3, target: '/t', noLinks: true, copyUp: false, inheritMode: true, noFollow: true },
    [3, '/t', 13],
  ],
  [{ op: 'place-root', slot: 0, path: '/rootfs' }, [0, '/rootfs']],
  [
    { op: 'make-node-mount', slot: 4, kind: 'block', mode: 0o640, major: 8, minor: 1, uid: 1, gid: 2 },
    [4, 0o060640, 8, 1, 1, 2],
  ],
  [
    { op: 'ensure-node', path: '/dev/f', kind: 'fifo', mode: 0o600, major: 0, minor: 0, uid: 1, gid: 2 },
    ['/dev/f', 0o010600, 0, 0, 1, 2],
  ],
  [{ op: 'change-root' }, []],
  [{ op: 'map-users', slot: 1, uidMap: '0 1 2\n', gidMap: '3 4 5\n' }, [1, '0 1 2\n', '3 4 5\n']],
  [{ op: 'open-namespace', slot: 2, path: '/ns', kind: 'net' }, [2, '/ns', 0x4000_0000]],
  [{ op: 'time-namespace', offsets: 'monotonic 1 2\n' }, ['monotonic 1 2\n']],
  [{ op: 'become-root' }, []],
  [{ op: 'fork-again' }, []],
  [{ op: 'await-fork' }, []],
  [{ op: 'release-child' }, []],
  [{ op: 'await-child' }, []],
  [{ op: 'ready' }, []],
  [{ op: 'await-start' }, []],
  [{ op: 'hand-over' }, []],
  [{ op: 'listen', path: '/run/x.sock' }, ['/run/x.sock']],
  [{ op: 'connect', slot: 5, path: '/run/y.sock' }, [5, '/run/y.sock']],
  [{ op: 'console', slot: 5, columns: 80, rows: 24 }, [5, 80, 24]],
  [
    {
      op: 'run-hook',
      path: '/h',
      arguments: ['h', 'x'],
      environment: ['A=1'],
      timeoutSeconds: 9,
      directory: '/b',
      before: '{',
      after: '}',
    },
    ['/h', ['h', 'x'], ['A=1'], 9, '/b', '{', '}'],
  ],
  [{ op: 'personality', domain: 8 }, [8]],
  [
    { op: 'scheduler', policy: 6, nice: -5, priority: 1, flags: 2n, runtime: 3n, deadline: 4n, period: 5n },
    [6, 2 ** 32 - 5, 1, 2n, 3n, 4n, 5n],
  ],
  [{ op: 'io-priority', value: 3 << 13 }, [3 << 13]],
  [{ op: 'cpu-affinity', processors: [0, 9, 64] }, [Buffer.from('01020000000000000100000000000000', 'hex')]],
  [{ op: 'memory-policy', mode: 2, nodes: [] }, [2, Buffer.alloc(0)]],
  [{ op: 'label', file: 'exec', label: 'x' }, ['exec', 'x']],
  [{ op: 'stdio-owner', uid: 1, gid: 2 }, [1, 2]],
  [{ op: 'keep-descriptors', numbers: [3, 7] }, [int32s(3, 7)]],
  [{ op: 'find-home', uid: 1000 }, [1000]],
  [{ op: 'find-program', program: 'sh', search: '/bin' }, ['sh', '/bin']],
  [
    { op: 'seccomp-notify', flags: 1, filter: Uint8Array.of(1, 2), slot: 6, before: 'a', after: 'b' },
    [1, Buffer.from([1, 2]), 6, 'a', 'b'],
  ],
];
