import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { RunOptions } from 'tscontainer';
import { seccompArchitecture } from '#lib/runtime/seccomp/architecture.js';
import { syscallTable } from '#lib/runtime/seccomp/syscall-table.js';
import { compileProbe } from '../../helpers/compile-probe.js';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { assertSameFootprint, type Footprint, settledFootprint } from '../../helpers/footprint.js';
import { ociLab } from '../../helpers/oci-bundle.js';
import { runChecked } from '../../helpers/run-checked.js';

interface Attempt {
  readonly code?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly message?: string;
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly containers?: number;
}

interface Setting {
  /** What surrounds the engine: a command line that runs the one that follows. */
  readonly around: readonly string[];
  readonly options?: RunOptions;
  readonly code: string;
  readonly data: Readonly<Record<string, string | RegExp>>;
}

const program = fileURLToPath(new URL('../../helpers/attempt-program.js', import.meta.url));
const inOwnMounts = (script: string): readonly string[] => [
  ...['unshare', '--mount', '--propagation', 'private', 'sh', '-e', '-c', `${script}; exec "$@"`, 'sh'],
];
const withoutCapabilities = (...names: readonly string[]): readonly string[] => {
  const list = names.map((name) => `-${name}`).join(',');
  return ['setpriv', `--bounding-set=${list}`, `--inh-caps=${list}`];
};
/** May read everything: where this package is, other users may have no access. */
const ordinaryUser = [
  ...['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups'],
  ...['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'],
];
const readOnlyCgroups = `for each in /sys/fs/cgroup /sys/fs/cgroup/*/; do
  mountpoint -q $each && mount -o remount,bind,ro $each; done; true`;

describe('hosts that do not let containers have what was asked for', () => {
  let lab: EngineLab;
  let image: string;
  let filtered: string;
  let still: Footprint;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
    await lab.engine.images.pull(image);
    filtered = join(lab.directory, 'filtered');
    await writeFile(filtered, await compileProbe('filtered'));
    await chmod(filtered, 0o755);
    still = await settledFootprint({
      roots: [join(lab.options.runRoot, 'containers'), join(lab.options.root, 'containers')],
    });
  });
  after(() => lab[Symbol.asyncDispose]());

  async function attempt(around: readonly string[], options: RunOptions = {}): Promise<Attempt> {
    const words = [JSON.stringify(lab.options), image, JSON.stringify({ network: 'none', ...options })];
    const [first = '', ...rest] = [...around, process.execPath, program, ...words];
    return JSON.parse(await runChecked(first, rest)) as Attempt;
  }

  const settings: Readonly<Record<string, Setting>> = {
    'a limit of open files above the hard one, without CAP_SYS_RESOURCE': {
      around: withoutCapabilities('sys_resource'),
      options: { ulimits: { nofile: { soft: 1024, hard: 100_000_000 } } },
      code: 'LAUNCH_FAILED',
      data: { stage: 'child', operation: 'rlimit: prlimit', errno: 'EPERM', hint: /CAP_SYS_RESOURCE/ },
    },
    'a protection from the want of memory, without CAP_SYS_RESOURCE': {
      around: withoutCapabilities('sys_resource'),
      options: { oomScoreAdj: -1000 },
      code: 'LAUNCH_FAILED',
      data: { stage: 'child', operation: 'oom-score: write', errno: 'EACCES', hint: /CAP_SYS_RESOURCE/ },
    },
    'a process that is not root': {
      around: ordinaryUser,
      code: 'UNSUPPORTED_HOST',
      data: { missing: /rights of root/, hint: /run this program as root/ },
    },
    'root without CAP_SYS_ADMIN': {
      around: withoutCapabilities('sys_admin'),
      code: 'UNSUPPORTED_HOST',
      data: { missing: /CAP_SYS_ADMIN/, hint: /privileged/ },
    },
    'a memory limit without cgroups': {
      around: inOwnMounts('mount -t tmpfs none /sys/fs/cgroup'),
      options: { memory: '64m' },
      code: 'CONTROLLER_MISSING',
      data: { option: 'memory', controller: 'memory', hint: /./ },
    },
    'a limit of processes with cgroups that cannot be written': {
      around: inOwnMounts(readOnlyCgroups),
      options: { pidsLimit: 5 },
      code: 'CONTROLLER_MISSING',
      data: { option: 'pidsLimit', controller: 'pids', hint: /./ },
    },
    'a processor that does not exist': {
      around: [],
      options: { cpusetCpus: '4095' },
      code: 'LAUNCH_FAILED',
      data: { stage: 'prepare', operation: 'write-file: write', operand: /4095.*cpuset\.cpus/ },
    },
    'a published port on an address of another host': {
      around: [],
      options: { network: 'bridge', ports: ['198.51.100.9:8080:80'] },
      code: 'INVALID_PORT_MAPPING',
      data: { mapping: /198\.51\.100\.9/, reason: /no address of this host/ },
    },
  };

  for (const [name, { around, options, code, data }] of Object.entries(settings)) {
    test(`${name}: ${code}`, async () => {
      const outcome = await attempt(around, options);
      assert.equal(outcome.code, code, JSON.stringify(outcome));
      for (const [key, expected] of Object.entries(data)) {
        if (typeof expected === 'string') assert.equal(outcome.data?.[key], expected, outcome.message);
        else assert.match(outcome.data?.[key] ?? '', expected, outcome.message);
      }
      assert.equal(outcome.containers ?? 0, 0);
      await assertSameFootprint(still);
      if (around.length > 0 && code !== 'UNSUPPORTED_HOST') {
        assert.equal((await attempt(around)).stdout, 'fine\n', 'what was not asked for does not matter');
      }
    });
  }

  const { numbers } = syscallTable(seccompArchitecture(process.arch));
  const denied = {
    clone3: ['ENOSYS', /filter of system calls/], // Node makes its threads by it, too, and does without it
    mount_setattr: ['ENOSYS', /filter of system calls/],
    fsopen: ['EPERM', /CAP_SYS_ADMIN/],
    move_mount: ['EPERM', /CAP_SYS_ADMIN/],
    pivot_root: ['EPERM', /CAP_SYS_ADMIN/],
    openat2: ['ENOSYS', /filter of system calls/],
    capset: ['EPERM', /^$/],
  } as const;
  for (const [call, [errno, hint]] of Object.entries(denied)) {
    test(`a filter around the engine that answers ${call} with ${errno}: LAUNCH_FAILED`, async () => {
      const outcome = await attempt([filtered, String(constants.errno[errno]), String(numbers.get(call))]);
      assert.equal(outcome.code, 'LAUNCH_FAILED', JSON.stringify(outcome));
      assert.equal(outcome.data?.['errno'], errno);
      assert.match(outcome.data?.['hint'] ?? '', hint);
      assert.equal(outcome.containers, 0);
      await assertSameFootprint(still);
    });
  }

  test('too few descriptors: a run works, or fails with what is missing', async () => {
    const codes = new Set<string>();
    for (const free of [0, 1, 2, 3, 5, 7, 9, 12, 15, 20]) {
      const outcome = await attempt(['env', `TSC_TEST_FREE_DESCRIPTORS=${free}`]);
      codes.add(outcome.code ?? String(outcome.exitCode));
      const isTold = ['SYSTEM_CALL_FAILED', 'SHIM_FAILED', 'LAUNCH_FAILED'].includes(outcome.code ?? '');
      assert.ok(
        outcome.code === undefined || (isTold && JSON.stringify(outcome).includes('EMFILE')),
        JSON.stringify(outcome),
      );
      await assertSameFootprint(still);
    }
    assert.ok(codes.has('0') && codes.size > 1, `from too few to enough: ${[...codes].join(' ')}`);
  });
});

test('user namespaces that are used up: the OCI runtime names the setting', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['true'], (config) => {
    const same = [{ containerID: 0, hostID: 0, size: 1 }];
    const namespaces = [...config.linux.namespaces, { type: 'user' }];
    Object.assign(config.linux, { namespaces, uidMappings: same, gidMappings: same });
  });
  // The setting is one of each user namespace: this one is made for it.
  const script = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"';
  const prefix = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh'];
  const { exitCode, stderr } = await lab.ociWith({ prefix }, '--cgroup-manager', 'disabled', 'run', 'x');
  assert.equal(exitCode, 1);
  assert.match(stderr, /clone3 namespaces .*: ENOSPC \(the limit of namespaces is reached: see \/proc\/sys\/user/);
});

test('a label on a host without that security module: the OCI runtime names it', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['true'], (config) => {
    config.process['apparmorProfile'] = 'no-such-profile';
  });
  const { exitCode, stderr } = await lab.oci('run', 'x');
  assert.equal(exitCode, 1);
  assert.match(stderr, /AppArmor/);
});
