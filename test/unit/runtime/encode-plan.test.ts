import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { limits } from '#lib/core/limits.js';
import { encodePlan } from '#lib/runtime/encode-plan.js';
import type { LaunchPlan, PlanOperation } from '#lib/runtime/launch-plan.js';
import { operationTable } from '#lib/runtime/operation-table.js';
import { type DecodedValue, decodePlan } from '../../helpers/decode-plan.js';
import { setupOperationSamples } from '../../helpers/setup-operation-samples.js';

const emptyPlan: LaunchPlan = { namespaces: [], prepare: [], parent: [], child: [], cleanup: [] };
const int32s = (...values: number[]): Buffer => Buffer.from(new Int32Array(values).buffer);

test('a plan is these bytes', () => {
  const plan: LaunchPlan = {
    namespaces: ['mount'],
    prepare: [{ op: 'write-file', path: '/a', data: 'é' }],
    parent: [],
    child: [{ op: 'sync' }, { op: 'bounding', keep: 0x8000_0000_0000_0001n }],
    cleanup: [{ op: 'execute', arguments: ['x', ''], environment: [] }],
  };
  const golden = [
    '54534350 0100 0000 69000000 00000200', // TSCP, version, size, CLONE_NEWNS
    '01000000 0300 0000 0e000000 02000000 2f6100 02000000 c3a900',
    '00000000',
    '02000000 0a00 0000 00000000 2100 0000 08000000 0100000000000080',
    '01000000 2700 0000 13000000 02000000 01000000 7800 00000000 00 00000000',
  ];
  assert.equal(encodePlan(plan).toString('hex'), golden.join('').replaceAll(' ', ''));
});

/** Every operation once, with what must arrive on the other side. */
const samples: readonly (readonly [PlanOperation, readonly DecodedValue[]])[] = [
  [{ op: 'make-directory', path: '/d', mode: 0o755 }, ['/d', 0o755]],
  [{ op: 'remove-directory', path: '/d' }, ['/d']],
  [{ op: 'remove-tree', path: '/d' }, ['/d']],
  [{ op: 'own', paths: ['/a', '/b'], uid: 1, gid: 2 }, [['/a', '/b'], 1, 2]],
  [{ op: 'saved-operations', path: '/p', replaced: 3 }, ['/p', 3]],
  [{ op: 'write-file', path: '/f', data: 'x\ny' }, ['/f', 'x\ny']],
  [{ op: 'join-cgroup', path: '/cg' }, ['/cg']],
  [{ op: 'thaw-on-kill', path: '/cg/freezer.state', data: 'THAWED' }, ['/cg/freezer.state', 'THAWED']],
  [{ op: 'kill-group', path: '/cg' }, ['/cg']],
  [{ op: 'init' }, []],
  [{ op: 'scratch', path: '/t' }, ['/t']],
  [{ op: 'new-network' }, []],
  [{ op: 'enter-network' }, []],
  [{ op: 'discard-tree', path: '/d', trash: '/t' }, ['/d', '/t']],
  [{ op: 'make-file', path: '/f', mode: 0o644, data: 'x' }, ['/f', 0o644, 'x']],
  [{ op: 'write-values', path: '/f', values: ['a', 'b c'] }, ['/f', ['a', 'b c']]],
  [{ op: 'device-filter', path: '/cg', program: Uint8Array.of(0x95, 0, 0, 0) }, ['/cg', Buffer.from([0x95, 0, 0, 0])]],
  [
    { op: 'netlink', protocol: 'netfilter', messages: Uint8Array.of(1, 2, 3), tolerate: [2, 17], labels: ['not sent'] },
    [1, Buffer.from([1, 2, 3]), int32s(2, 17)],
  ],
  [{ op: 'open-process', slot: 1, pid: 4_194_304, startTicks: 2n ** 40n }, [1, 4_194_304, 2n ** 40n]],
  [{ op: 'join-namespace', slot: 1, kinds: ['ipc', 'uts'] }, [1, 0x0c00_0000]],
  [{ op: 'reserve-port', protocol: 'udp', address: '::1', port: 65_535 }, [1, '::1', 65_535]],
  [{ op: 'write-id-map', kind: 'setgroups', map: 'deny' }, [2, 'deny']],
  [{ op: 'sync' }, []],
  [{ op: 'unshare', kinds: ['cgroup'] }, [0x0200_0000]],
  [{ op: 'propagation', mode: 'slave' }, [0x8_4000]],
  [
    { op: 'overlay-root', lower: ['/b', '/a'], upper: '/u', work: '/w', target: '/t', volatile: true, userXattr: true },
    [['/b', '/a'], '/u', '/w', '/t', 3],
  ],
  [{ op: 'bind-root', source: '/s', target: '/t' }, ['/s', '/t']],
  [{ op: 'use-root', path: '/' }, ['/']],
  [
    { op: 'mount', type: 'tmpfs', target: '/tmp', options: ['size=1m'], attributes: ['ro', 'nosuid'], noLinks: true },
    ['tmpfs', '/tmp', ['size=1m'], 3n, 1],
  ],
  [
    { op: 'bind', source: '/s', target: '/t', recursive: true, attributes: ['noatime', 'ro'], kind: 'file' },
    ['/s', '/t', 1, 0x11n, 0x70n, 1],
  ],
  [
    { op: 'node', path: '/dev/null', kind: 'char', mode: 0o666, major: 1, minor: 3, uid: 0, gid: 5 },
    ['/dev/null', 0o020666, 1, 3, 0, 5],
  ],
  [{ op: 'symlink', path: '/dev/fd', destination: '/proc/self/fd' }, ['/dev/fd', '/proc/self/fd']],
  [{ op: 'root-directory', path: '/w', mode: 0o700, uid: 1, gid: 2 }, ['/w', 0o700, 1, 2]],
  [{ op: 'mask', path: '/proc/kcore' }, ['/proc/kcore']],
  [{ op: 'readonly-path', path: '/proc/sys' }, ['/proc/sys']],
  [{ op: 'pivot-root' }, []],
  [{ op: 'readonly-root' }, []],
  [{ op: 'hostname', name: 'h' }, ['h']],
  [{ op: 'domainname', name: 'd' }, ['d']],
  [{ op: 'rlimit', resource: 7, soft: 1024n, hard: 2n ** 64n - 1n }, [7, 1024n, 2n ** 64n - 1n]],
  [{ op: 'oom-score', score: -999 }, ['-999']],
  [{ op: 'umask', mask: 0o022 }, [0o022]],
  [{ op: 'session' }, []],
  [{ op: 'terminal', columns: 80, rows: 24 }, [80, 24]],
  [{ op: 'working-directory', path: '/w' }, ['/w', 0]],
  [{ op: 'bounding', keep: 5n }, [5n]],
  [{ op: 'identity', uid: 2 ** 32 - 2, gid: 1, groups: [1, 2] }, [2 ** 32 - 2, 1, int32s(1, 2)]],
  [{ op: 'named-identity', user: 'www:33', groups: ['tty', '5'] }, ['www:33', ['tty', '5']]],
  [{ op: 'capabilities', effective: 1n, permitted: 2n, inheritable: 3n, ambient: 4n }, [1n, 2n, 3n, 4n]],
  [{ op: 'no-new-privileges' }, []],
  [
    { op: 'seccomp', flags: 2, filter: Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0) },
    [2, Buffer.from([6, 0, 0, 0, 0, 0, 0, 0])],
  ],
  [{ op: 'execute', arguments: ['sh', '-c', '"€"'], environment: ['A=1'] }, [['sh', '-c', '"€"'], ['A=1']]],
  ...setupOperationSamples,
];

describe('every operation arrives as it was meant', () => {
  for (const [operation, values] of samples) {
    test(operation.op, () => {
      const [, , child] = decodePlan(encodePlan({ ...emptyPlan, child: [operation] })).stages;
      assert.deepEqual(child, [{ name: operation.op, values }]);
    });
  }

  test('and none was forgotten', () => {
    assert.deepEqual(samples.map(([{ op }]) => op).sort(), Object.keys(operationTable).sort());
  });
});

test('all stages keep their operations and their order', () => {
  const [prepare, parent, child, cleanup] = decodePlan(
    encodePlan({
      namespaces: ['pid', 'net'],
      prepare: [
        { op: 'make-directory', path: '/1', mode: 0 },
        { op: 'make-directory', path: '/2', mode: 0 },
      ],
      parent: [{ op: 'write-file', path: '/3', data: '' }],
      child: [{ op: 'session' }, { op: 'umask', mask: 1 }, { op: 'session' }],
      cleanup: [{ op: 'remove-directory', path: '/2' }],
    }),
  ).stages;
  assert.deepEqual(
    prepare?.map(({ values }) => values[0]),
    ['/1', '/2'],
  );
  assert.deepEqual(
    parent?.map(({ name }) => name),
    ['write-file'],
  );
  assert.deepEqual(
    child?.map(({ name }) => name),
    ['session', 'umask', 'session'],
  );
  assert.deepEqual(
    cleanup?.map(({ name }) => name),
    ['remove-directory'],
  );
});

test('a plan that outgrows its first buffer arrives whole', () => {
  const filter = Buffer.alloc(100_000, 7);
  const list = Array.from({ length: 2000 }, (_, index) => `VARIABLE_${index}=${'v'.repeat(index % 50)}`);
  const [, , child] = decodePlan(
    encodePlan({
      ...emptyPlan,
      child: [
        { op: 'seccomp', flags: 0, filter },
        { op: 'execute', arguments: ['x'], environment: list },
      ],
    }),
  ).stages;
  assert.deepEqual(child?.[0]?.values[1], filter);
  assert.deepEqual(child?.[1]?.values[1], list);
});

test('a text with a NUL is refused, wherever it stands', () => {
  const hostile: readonly PlanOperation[] = [
    { op: 'hostname', name: 'a\0b' },
    { op: 'execute', arguments: ['sh', 'a\0'], environment: [] },
    { op: 'mount', type: 'tmpfs', target: '/', options: ['\0'], attributes: [], noLinks: false },
  ];
  for (const operation of hostile) {
    assert.throws(
      () => encodePlan({ ...emptyPlan, child: [operation] }),
      (error) => EngineError.is(error, 'INVALID_OPTION'),
    );
  }
});

test('a plan above the limit is refused with the limit, one just below is not', () => {
  const planOf = (size: number): LaunchPlan => ({
    ...emptyPlan,
    child: [{ op: 'seccomp', flags: 0, filter: Buffer.alloc(size) }],
  });
  const overhead = encodePlan(planOf(0)).length;
  assert.equal(encodePlan(planOf(limits.planBytes - overhead)).length, limits.planBytes);
  assert.throws(
    () => encodePlan(planOf(limits.planBytes - overhead + 1)),
    (error) => EngineError.is(error, 'TOO_LARGE') && error.data.maxBytes === limits.planBytes,
  );
});
