import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { encodePlan } from '#lib/runtime/encode-plan.js';
import type { LaunchPlan, PlanOperation } from '#lib/runtime/launch-plan.js';
import { buildOciPlan, type OciPlanRequest } from '#lib/runtime/oci/build-oci-plan.js';
import type { OciConfig } from '#lib/runtime/oci/oci-config.js';
import type { OciLinux } from '#lib/runtime/oci/oci-linux.js';
import { decodePlan } from '../../../helpers/decode-plan.js';
import { sampleOciConfig } from '../../../helpers/oci-config.js';

function planOf(config: OciConfig, change: Partial<OciPlanRequest> = {}): LaunchPlan {
  const plan = buildOciPlan({
    config,
    state: { ociVersion: '1.2.0', id: 'c', bundle: '/bundle' },
    rootfs: '/bundle/rootfs',
    cgroup: {
      view: { version: 'none', path: '/c', hierarchies: [], newNamespace: true },
      plan: { prepare: [], join: [], directories: [] },
    },
    socketPath: '/run/c/control.sock',
    waitForStart: true,
    handOver: true,
    console: 'relay',
    keptDescriptors: [],
    noPivot: false,
    hostEnvironment: ['HOST=1'],
    addedEnvironment: [],
    keptGroups: undefined,
    planSeccomp: () => ({ prepare: [], install: [{ op: 'seccomp', flags: 0, filter: new Uint8Array(8) }] }),
    ...change,
  });
  decodePlan(encodePlan(plan)); // what the shim could not read would throw here
  return plan;
}

const names = (operations: readonly PlanOperation[]): readonly string[] => operations.map(({ op }) => op);
const order = (plan: LaunchPlan, ...wanted: string[]): readonly string[] =>
  names(plan.child).filter((op) => wanted.includes(op));
const linux: OciLinux = sampleOciConfig().linux ?? {};
const withNamespaces = (...types: { type: 'user' | 'time' | 'network'; path?: string }[]): OciLinux => ({
  ...linux,
  namespaces: [...(linux.namespaces ?? []).filter(({ type }) => !types.some((each) => each.type === type)), ...types],
});

test('the steps of the life cycle come in the order of the specification', () => {
  const hook = (path: string) => [{ path }];
  const plan = planOf(
    sampleOciConfig({
      hooks: {
        prestart: hook('/prestart'),
        createRuntime: hook('/createRuntime'),
        createContainer: hook('/createContainer'),
        startContainer: hook('/startContainer'),
        poststart: hook('/poststart'),
      },
    }),
  );
  const hooks = (operations: readonly PlanOperation[]) =>
    operations.flatMap((each) => (each.op === 'run-hook' ? [each.path] : []));
  assert.deepEqual(hooks(plan.parent), ['/prestart', '/createRuntime']);
  assert.deepEqual(hooks(plan.child), ['/createContainer', '/startContainer']);
  assert.deepEqual(names(plan.parent)[0], 'await-child');
  assert.deepEqual(
    order(plan, 'place-root', 'ready', 'sync', 'run-hook', 'pivot-root', 'await-start', 'identity', 'execute'),
    ['place-root', 'ready', 'sync', 'run-hook', 'pivot-root', 'await-start', 'run-hook', 'identity', 'execute'],
  );
});

test('a hook gets the state, its own environment or else the caller’s', () => {
  const plan = planOf(
    sampleOciConfig({
      annotations: { a: 'b' },
      hooks: { prestart: [{ path: '/h', args: ['name', 'x'], env: ['A=1'], timeout: 3 }, { path: '/i' }] },
    }),
    { state: { ociVersion: '1.2.0', id: 'c', bundle: '/bundle', annotations: { a: 'b' } } },
  );
  const [first, second] = plan.parent.filter((each) => each.op === 'run-hook');
  assert.ok(first !== undefined && second !== undefined);
  assert.deepEqual(JSON.parse(`${first.before}77${first.after}`), {
    ociVersion: '1.2.0',
    id: 'c',
    status: 'creating',
    pid: 77,
    bundle: '/bundle',
    annotations: { a: 'b' },
  });
  assert.deepEqual([first.arguments, first.environment, first.timeoutSeconds], [['name', 'x'], ['A=1'], 3]);
  assert.deepEqual([second.arguments, second.environment, second.timeoutSeconds], [['/i'], ['HOST=1'], 0]);
});

test('without no_new_privs the filter comes before rights are given up, with it right before the program', () => {
  const seccomp = { ...linux, seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } };
  const steps = ['no-new-privileges', 'seccomp', 'identity', 'capabilities', 'execute'];
  const strict = planOf(sampleOciConfig({ linux: seccomp }));
  assert.deepEqual(order(strict, ...steps), ['no-new-privileges', 'identity', 'capabilities', 'seccomp', 'execute']);
  const loose = planOf(sampleOciConfig({ linux: seccomp, process: { args: ['sh'], cwd: '/' } }));
  assert.deepEqual(order(loose, ...steps), ['seccomp', 'identity', 'capabilities', 'execute']);
});

describe('user namespaces', () => {
  test('a new one is mapped by the shim before the child does anything in it', () => {
    const plan = planOf(
      sampleOciConfig({
        linux: { ...withNamespaces({ type: 'user' }), uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }] },
      }),
    );
    assert.ok(plan.namespaces.includes('user'));
    assert.deepEqual(plan.parent.slice(0, 3), [
      { op: 'write-id-map', kind: 'uid', map: '0 1000 10\n' },
      { op: 'write-id-map', kind: 'gid', map: '0 0 4294967295\n' },
      { op: 'release-child' },
    ]);
    assert.equal(plan.child[0]?.op, 'sync');
    assert.deepEqual(order(plan, 'place-root', 'become-root', 'place-mount').slice(0, 3), [
      'place-root',
      'become-root',
      'place-mount',
    ]);
    assert.ok(!names(plan.child).includes('ensure-node'), 'mknod(2) is refused there');
  });

  test('what belongs to a joined one is made by the child, which goes on as another process', () => {
    const plan = planOf(sampleOciConfig({ linux: withNamespaces({ type: 'user', path: '/ns/user' }) }));
    assert.deepEqual(plan.namespaces, []);
    assert.equal(plan.parent[0]?.op, 'await-fork');
    assert.deepEqual(order(plan, 'join-namespace', 'unshare', 'fork-again', 'become-root').slice(0, 3), [
      'join-namespace',
      'unshare',
      'fork-again',
    ]);
  });

  test('a file system of a namespace that is the host’s is shown instead of mounted', () => {
    const { namespaces = [] } = linux;
    const plan = planOf(
      sampleOciConfig({
        mounts: [{ destination: '/sys', type: 'sysfs', options: ['ro'] }],
        linux: { namespaces: [...namespaces.filter(({ type }) => type !== 'network'), { type: 'user' }] },
      }),
    );
    const shown = plan.prepare.find((each) => each.op === 'make-mount' && each.source === '/sys');
    assert.ok(shown?.op === 'make-mount' && shown.recursive && shown.type === '');
  });
});

test('a namespace is joined by its path and checked for its kind', () => {
  const plan = planOf(sampleOciConfig({ linux: withNamespaces({ type: 'network', path: '/ns/net' }) }));
  assert.ok(!plan.namespaces.includes('net'));
  assert.ok(
    plan.prepare.some((each) => each.op === 'open-namespace' && each.kind === 'net' && each.path === '/ns/net'),
  );
  assert.ok(!names(plan.child).includes('netlink'), 'the loopback interface of others is left alone');
});

test('a terminal goes to the console socket, or to the shim', () => {
  const config = sampleOciConfig({
    process: { args: ['sh'], cwd: '/', terminal: true, consoleSize: { width: 80, height: 24 } },
  });
  const relayed = planOf(config);
  assert.ok(relayed.child.some((each) => each.op === 'terminal' && each.columns === 80 && each.rows === 24));
  const sent = planOf(config, { console: { socketPath: '/run/console' } });
  const connection = sent.prepare.find((each) => each.op === 'connect');
  const console = sent.child.find((each) => each.op === 'console');
  assert.ok(connection?.op === 'connect' && connection.path === '/run/console');
  assert.ok(console?.op === 'console' && console.slot === connection.slot);
});

describe('refused', () => {
  const base = sampleOciConfig();
  const cases: readonly (readonly [string, Partial<OciConfig>])[] = [
    ['no process', { process: undefined } as unknown as Partial<OciConfig>],
    ['no program', { process: { cwd: '/', args: [] } }],
    ['no mount namespace', { linux: { namespaces: [{ type: 'pid' }] } }],
    ['a namespace twice', { linux: { namespaces: [{ type: 'mount' }, { type: 'mount' }] } }],
    ['a host name without a uts namespace', { linux: { namespaces: [{ type: 'mount' }] } }],
    ['maps without a user namespace', { linux: { ...linux, uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] } }],
    ['offsets without a time namespace', { linux: { ...linux, timeOffsets: { monotonic: { secs: 1n } } } }],
    ['a sysctl of the host', { linux: { ...linux, sysctl: { 'vm.swappiness': '1' } } }],
    ['a sysctl that leaves its directory', { linux: { ...linux, sysctl: { 'net/../../../etc/passwd': '1' } } }],
    ['an unknown limit', { process: { cwd: '/', args: ['x'], rlimits: [{ type: 'RLIMIT_X', soft: 1n, hard: 1n }] } }],
    ['soft above hard', { process: { cwd: '/', args: ['x'], rlimits: [{ type: 'RLIMIT_CORE', soft: 2n, hard: 1n }] } }],
    ['an unknown propagation', { linux: { ...linux, rootfsPropagation: 'sideways' } }],
    ['a bind mount of nothing', { mounts: [{ destination: '/x', type: 'bind' }] }],
    ['tmpcopyup on the root', { mounts: [{ destination: '/', type: 'tmpfs', options: ['tmpcopyup'] }] }],
  ];
  for (const [name, change] of cases) {
    test(name, () => {
      assert.throws(
        () => planOf({ ...base, ...change }),
        (error) => EngineError.is(error, 'INVALID_OCI_CONFIG'),
      );
    });
  }

  test('an unknown capability', () => {
    assert.throws(
      () => planOf({ ...base, process: { cwd: '/', args: ['x'], capabilities: { bounding: ['CAP_UNKNOWN'] } } }),
      (error) => EngineError.is(error, 'INVALID_OPTION'),
    );
  });
});
