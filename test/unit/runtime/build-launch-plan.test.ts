import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { buildJoinPlan, buildLaunchPlan } from '#lib/runtime/build-launch-plan.js';
import { buildPlan } from '#lib/runtime/build-plan.js';
import { capabilityMask } from '#lib/runtime/capabilities.js';
import { type ContainerSpec, emptyPart, type JoinSpec, type ProcessSpec } from '#lib/runtime/container-spec.js';
import { encodePlan } from '#lib/runtime/encode-plan.js';
import type { LaunchPlan, PlanOperation, PlanStage } from '#lib/runtime/launch-plan.js';
import { planStages } from '#lib/runtime/launch-plan.js';
import { nativeOperations } from '../../helpers/native-operations.js';

const process: ProcessSpec = {
  arguments: ['sh'],
  environment: ['A=1'],
  workingDirectory: '/work',
  user: { kind: 'named', user: 'www', groups: ['tty'] },
  capabilities: { bounding: 0xffn, effective: 0xfn, inheritable: 0n, ambient: 0n },
  noNewPrivileges: false,
  seccomp: { flags: 0, filter: new Uint8Array(8), profile: { defaultAction: 'SCMP_ACT_ALLOW' } },
  resourceLimits: [{ resource: 7, soft: 1n, hard: 2n }],
  oomScoreAdjust: 5,
  terminal: { columns: 80, rows: 24 },
};

const spec: ContainerSpec = {
  kind: 'container',
  id: 'a'.repeat(64),
  removeAtEnd: [{ path: '/gone' }, { path: '/slow', trash: '/trash/slow' }],
  root: { type: 'overlay', lower: ['/l2', '/l1'], upper: '/u', work: '/w', volatile: true },
  readonlyRoot: true,
  rootTarget: '/run/root',
  namespaces: ['mount', 'pid', 'ipc', 'uts', 'cgroup', 'net'],
  hostname: 'box',
  mounts: [{ op: 'mount', type: 'proc', target: '/proc', options: [], attributes: [], noLinks: true }],
  cgroupMounts: [
    { op: 'mount', type: 'cgroup2', target: '/sys/fs/cgroup', options: [], attributes: [], noLinks: true },
  ],
  nodes: [{ op: 'symlink', path: '/dev/fd', destination: '/proc/self/fd' }],
  maskedPaths: ['/proc/kcore'],
  readonlyPaths: ['/proc/sys'],
  files: [{ path: '/run/c/hosts', mode: 0o644, content: 'x' }],
  cgroup: {
    ...emptyPart,
    prepare: [{ op: 'join-cgroup', path: '/cg' }],
    cleanup: [{ op: 'remove-directory', path: '/cg' }],
  },
  network: {
    prepare: [{ op: 'reserve-port', protocol: 'tcp', address: '0.0.0.0', port: 80 }],
    parent: [{ op: 'write-file', path: '/host', data: '1' }],
    child: [{ op: 'write-file', path: '/proc/sys/net/x', data: '1' }],
    cleanup: [{ op: 'write-file', path: '/undo', data: '1' }],
  },
  process,
};

const withProcess = (change: Partial<ProcessSpec>): ContainerSpec => ({ ...spec, process: { ...process, ...change } });

function place(plan: LaunchPlan, op: PlanOperation['op'], stage: PlanStage = 'child'): number {
  const found = plan[stage].flatMap((operation, index) => (operation.op === op ? [index] : []));
  assert.equal(found.length, 1, `${op} stands once in ${stage}`);
  return found[0] ?? -1;
}

function assertOrder(plan: LaunchPlan, ...operations: PlanOperation['op'][]): void {
  const places = operations.map((op) => place(plan, op));
  assert.deepEqual(
    [...places].sort((a, b) => a - b),
    places,
    operations.join(' → '),
  );
}

describe('the plan of a container', () => {
  const plan = buildLaunchPlan(spec);

  test('takes nothing from the host: propagation is cut before the root exists', () => {
    assert.deepEqual(plan.child[0], { op: 'propagation', mode: 'slave' });
    assertOrder(plan, 'propagation', 'overlay-root', 'pivot-root');
  });

  test('leaves the old root before anything of the image decides about rights', () => {
    assertOrder(plan, 'overlay-root', 'readonly-root', 'pivot-root', 'named-identity', 'execute');
  });

  test('gives rights up in the order in which none can be regained', () => {
    assertOrder(plan, 'pivot-root', 'bounding', 'named-identity', 'capabilities', 'working-directory', 'execute');
  });

  test('the program comes last, and only once', () => {
    assert.equal(plan.child.at(-1)?.op, 'execute');
    place(plan, 'execute');
  });

  test('a directory is entered with the rights of the user, not of root', () => {
    assertOrder(plan, 'named-identity', 'working-directory');
  });

  test('shows cgroups once their namespace is there', () => {
    const cgroups = plan.child.findIndex((each) => each.op === 'mount' && each.type === 'cgroup2');
    assert.ok(place(plan, 'unshare') < cgroups, 'the root of the namespace is the group that the child is in by then');
  });

  test('has all of the network before there is a child, which then waits for nobody and copies nothing', () => {
    assert.deepEqual(
      plan.prepare.map(({ op }) => op),
      ['make-file', 'join-cgroup', 'reserve-port', 'new-network', 'write-file', 'enter-network', 'write-file'],
    );
    assert.deepEqual(plan.prepare[4], spec.network.parent[0], 'the host side acts on the host, beside the namespace');
    assert.deepEqual(plan.prepare[6], spec.network.child[0], 'the rest acts inside');
    assert.deepEqual(plan.parent, []);
    assert.ok(!plan.child.some((each) => each.op === 'sync'));
    assert.equal(plan.sharesMemory, true);
  });

  test('with a user namespace the network is made by the child, who waits for the host side', () => {
    const mapped = buildLaunchPlan({ ...spec, namespaces: [...spec.namespaces, 'user'] });
    assert.deepEqual(mapped.namespaces, ['mount', 'pid', 'ipc', 'uts', 'net', 'user']);
    assert.deepEqual(mapped.parent, spec.network.parent);
    assert.ok(mapped.sharesMemory !== true);
    assertOrder(mapped, 'sync', 'unshare', 'write-file', 'readonly-path', 'mask', 'pivot-root');
  });

  test('shares no memory with a child whom other processes see from its beginning', () => {
    const inForeignPidNamespace = spec.namespaces.filter((kind) => kind !== 'pid');
    assert.ok(buildLaunchPlan({ ...spec, namespaces: inForeignPidNamespace }).sharesMemory !== true);
  });

  test('a read-only root comes after everything that is made in it', () => {
    const last = plan.child.findLastIndex((each) => ['mount', 'symlink', 'root-directory', 'mask'].includes(each.op));
    assert.ok(last < place(plan, 'readonly-root'));
    assert.ok(!buildLaunchPlan({ ...spec, readonlyRoot: false }).child.some((each) => each.op === 'readonly-root'));
  });

  test('the terminal needs a session, and the devpts of the container', () => {
    assertOrder(plan, 'session', 'terminal', 'pivot-root');
    assert.ok(plan.child.findIndex((each) => each.op === 'mount') < place(plan, 'terminal'));
    assert.ok(!buildLaunchPlan(withProcess({ terminal: undefined })).child.some((each) => each.op === 'terminal'));
  });

  test('the score is written while /proc of the host is in sight', () => {
    assertOrder(plan, 'oom-score', 'pivot-root');
  });

  test('the cgroup namespace is made by unshare, that of the network by the shim, all others by clone', () => {
    assert.deepEqual(plan.namespaces, ['mount', 'pid', 'ipc', 'uts']);
    const without = buildLaunchPlan({ ...spec, namespaces: ['mount', 'pid'] });
    assert.ok(!without.child.some((each) => each.op === 'unshare' || each.op === 'hostname'));
  });

  test('joins its cgroup before the host side of the network, and undoes the network first', () => {
    assert.equal(plan.prepare[1]?.op, 'join-cgroup');
    assert.deepEqual(
      plan.cleanup.map(({ op }) => op),
      ['write-file', 'remove-directory', 'remove-tree', 'discard-tree'],
    );
  });

  test('a bind root, and a working directory that is there anyway', () => {
    const bind = buildLaunchPlan({
      ...withProcess({ workingDirectory: '/' }),
      root: { type: 'bind', source: '/image' },
    });
    assert.deepEqual(bind.child[1], { op: 'bind-root', source: '/image', target: '/run/root' });
    assert.ok(!bind.child.some((each) => each.op === 'root-directory'));
    assert.deepEqual(plan.child[place(plan, 'root-directory')], {
      op: 'root-directory',
      path: '/work',
      mode: 0o755,
      uid: 0,
      gid: 0,
    });
  });

  test('is plain data', () => {
    assert.deepEqual(structuredClone(plan), plan);
  });
});

describe('the filter of system calls', () => {
  test('is installed with the rights of root where programs may gain rights', () => {
    assertOrder(buildLaunchPlan(spec), 'seccomp', 'named-identity', 'capabilities', 'execute');
  });

  test('comes right before the program where they may not', () => {
    const plan = buildLaunchPlan(withProcess({ noNewPrivileges: true }));
    assertOrder(plan, 'bounding', 'no-new-privileges', 'named-identity', 'capabilities', 'seccomp', 'execute');
    assert.equal(place(plan, 'seccomp'), plan.child.length - 2);
  });

  test('is absent when unconfined', () => {
    for (const noNewPrivileges of [true, false]) {
      const plan = buildLaunchPlan(withProcess({ seccomp: undefined, noNewPrivileges }));
      assert.ok(!plan.child.some((each) => each.op === 'seccomp'));
      assert.equal(
        plan.child.some((each) => each.op === 'no-new-privileges'),
        noNewPrivileges,
      );
    }
  });
});

test('permitted capabilities are the effective ones, and numeric users need no look-up', () => {
  const plan = buildLaunchPlan(withProcess({ user: { kind: 'ids', uid: 7, gid: 8, groups: [9] } }));
  assert.deepEqual(plan.child[place(plan, 'identity')], { op: 'identity', uid: 7, gid: 8, groups: [9] });
  assert.deepEqual(plan.child[place(plan, 'capabilities')], {
    op: 'capabilities',
    effective: 0xfn,
    permitted: 0xfn,
    inheritable: 0n,
    ambient: 0n,
  });
});

describe('the plan of a process that joins', () => {
  const join: JoinSpec = {
    kind: 'join',
    id: spec.id,
    target: { pid: 77, startTicks: 99n },
    namespaces: ['mount', 'pid', 'ipc', 'uts', 'cgroup', 'net'],
    cgroup: { ...emptyPart, prepare: [{ op: 'join-cgroup', path: '/cg' }] },
    process,
  };
  const plan = buildJoinPlan(join);

  test('makes no namespace of its own', () => {
    assert.deepEqual(plan.namespaces, []);
  });

  test('holds the process before it joins anything', () => {
    assert.deepEqual(plan.prepare, [
      { op: 'open-process', slot: 0, pid: 77, startTicks: 99n },
      { op: 'join-cgroup', path: '/cg' },
      { op: 'join-namespace', slot: 0, kinds: ['pid'] },
    ]);
  });

  test('joins the other namespaces only once it is in the cgroup, and gives the same rights up', () => {
    assertOrder(plan, 'join-namespace', 'use-root', 'terminal', 'bounding', 'named-identity', 'execute');
    assert.deepEqual(plan.child[place(plan, 'join-namespace')], {
      op: 'join-namespace',
      slot: 0,
      kinds: ['mount', 'ipc', 'uts', 'cgroup', 'net'],
    });
    assert.equal(plan.child.at(-1)?.op, 'execute');
  });

  test('ends as the first process of the container does', () => {
    const tail = (each: LaunchPlan): readonly PlanOperation[] => each.child.slice(-8);
    assert.deepEqual(tail(plan), tail(buildLaunchPlan(spec)));
  });

  test('shares memory, unless processes of the container could look into it', () => {
    assert.equal(plan.sharesMemory, true);
    const bounding = capabilityMask(['CHOWN', 'SYS_PTRACE']);
    const traced = { ...process, capabilities: { ...process.capabilities, bounding } };
    const apart = buildJoinPlan({ ...join, process: traced });
    assert.ok(apart.sharesMemory !== true);
    assertOrder(apart, 'sync', 'join-namespace');
  });

  test('does not join a PID namespace that the container shares with the host', () => {
    const shared = buildJoinPlan({ ...join, namespaces: ['mount'] });
    assert.ok(!shared.prepare.some((each) => each.op === 'join-namespace'));
  });
});

test('every operation stands in a stage in which the shim accepts it', () => {
  const rows = [...nativeOperations().values()];
  const join: JoinSpec = {
    kind: 'join',
    id: spec.id,
    target: { pid: 1, startTicks: 1n },
    namespaces: spec.namespaces,
    cgroup: emptyPart,
    process,
  };
  for (const plan of [
    buildLaunchPlan(spec),
    buildLaunchPlan(withProcess({ noNewPrivileges: true, user: { kind: 'ids', uid: 1, gid: 1, groups: [] } })),
    buildPlan(join),
  ]) {
    assert.ok(encodePlan(plan).length > 0);
    for (const stage of planStages) {
      for (const { op } of plan[stage]) {
        assert.ok(rows.find((row) => row.name === op)?.stages.includes(stage), `${op} in ${stage}`);
      }
    }
  }
});
