import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Container, EngineError, type RunOptions } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { type FailingCalls, withFailingCalls } from '../../helpers/failing-calls.js';
import { assertSameFootprint, type Footprint, settledFootprint } from '../../helpers/footprint.js';

interface Row extends FailingCalls {
  /** What is tried. Default: a run without network. */
  readonly way?: 'run' | 'start' | 'exec' | 'tty';
  /** It is the second try that fails: for the first one a supervisor stood by already. */
  readonly second?: boolean;
  readonly options?: RunOptions;
  /** Data of LAUNCH_FAILED. */
  readonly stage?: string;
  readonly operation?: string;
  readonly hint?: RegExp;
  /** Default LAUNCH_FAILED. */
  readonly code?: string;
}

const limited = { memory: '64m' } as const;
const tmpfs = { mounts: [{ type: 'tmpfs', target: '/t' }] } as const;
const filter = /filter of system calls/;

/** One system call of each step, with an errno that the step can meet. */
const rows: readonly Row[] = [
  // before the plan
  { calls: ['close_range'], error: 'ENOSYS', stage: 'prepare', operation: 'start: close_range', hint: filter },
  { calls: ['prctl'], error: 'EPERM', stage: 'child' },
  {
    calls: ['signalfd4'],
    error: 'EMFILE',
    second: true,
    stage: 'prepare',
    operation: 'start: signalfd',
    hint: /RLIMIT_NOFILE/,
  },
  // stage prepare
  {
    calls: ['?mkdir', 'mkdirat'],
    error: 'EROFS',
    options: limited,
    stage: 'prepare',
    operation: 'make-directory: mkdir',
    hint: /mounted read-only/,
  },
  {
    calls: ['?mkdir', 'mkdirat'],
    error: 'EACCES',
    options: limited,
    stage: 'prepare',
    operation: 'make-directory: mkdir',
    hint: /delegated/,
  },
  { calls: ['socketpair'], error: 'EMFILE', stage: 'prepare', operation: 'start: pipe', hint: /RLIMIT_NOFILE/ },
  { way: 'start', calls: ['pipe2'], error: 'ENFILE', stage: 'prepare', operation: 'start: pipe2', hint: /file-max/ },
  { calls: ['clone3'], error: 'EPERM', stage: 'prepare', operation: 'start: clone3', hint: /user namespaces/ },
  { calls: ['clone3'], error: 'ENOSPC', stage: 'prepare', operation: 'start: clone3', hint: /max_\*_namespaces/ },
  { calls: ['clone3'], error: 'EAGAIN', stage: 'prepare', operation: 'start: clone3', hint: /limit of processes/ },
  { calls: ['clone3'], error: 'ENOMEM', stage: 'prepare', operation: 'start: clone3', hint: /memory/ },
  { calls: ['clone3'], error: 'ENOSYS', stage: 'prepare', operation: 'start: clone3', hint: filter },
  // stage child: the root and the mounts
  { calls: ['mount'], error: 'EPERM', stage: 'child', operation: 'propagation: mount', hint: /CAP_SYS_ADMIN/ },
  { calls: ['mount'], error: 'EACCES', stage: 'child', operation: 'propagation: mount', hint: /AppArmor/ },
  {
    calls: ['fsopen'],
    error: 'ENODEV',
    stage: 'child',
    operation: 'overlay-root: fsopen',
    hint: /does not know this file system/,
  },
  { calls: ['fsopen'], error: 'ENOSYS', stage: 'child', operation: 'overlay-root: fsopen', hint: filter },
  { calls: ['fsconfig'], error: 'EPERM', stage: 'child', operation: 'overlay-root: fsconfig', hint: /CAP_SYS_ADMIN/ },
  { calls: ['fsmount'], error: 'EPERM', stage: 'child', operation: 'overlay-root: fsmount', hint: /CAP_SYS_ADMIN/ },
  { calls: ['fsmount'], error: 'EPERM', when: '2', stage: 'child', operation: 'mount: fsmount', hint: /CAP_SYS_ADMIN/ },
  { calls: ['move_mount'], error: 'ELOOP', stage: 'child', operation: 'overlay-root: move_mount' },
  { calls: ['openat2'], error: 'ENOSYS', stage: 'child', hint: filter },
  { calls: ['openat2'], error: 'ENFILE', stage: 'child', hint: /file-max/ },
  { calls: ['open_tree'], error: 'ENOENT', stage: 'child', hint: /does not exist on the host/ },
  { calls: ['mount_setattr'], error: 'ENOSYS', stage: 'child', hint: filter },
  { calls: ['mknodat', '?mknod'], error: 'EPERM', stage: 'child', hint: /CAP_MKNOD/ },
  { calls: ['symlinkat'], error: 'ENOSPC', code: 'NO_SPACE' },
  { calls: ['symlinkat'], error: 'EROFS', stage: 'child', operation: 'symlink' },
  { calls: ['mkdirat'], error: 'EDQUOT', options: tmpfs, stage: 'child', operation: 'mount: mkdir' },
  // stage child: namespaces and what belongs to them
  { calls: ['unshare'], error: 'ENOSPC', hint: /max_\*_namespaces/ },
  { calls: ['unshare'], error: 'EPERM', hint: /user namespaces/ },
  { calls: ['sethostname'], error: 'EPERM', stage: 'child', operation: 'hostname: sethostname' },
  { calls: ['setsid'], error: 'EPERM', stage: 'child', operation: 'session: setsid' },
  { calls: ['pivot_root'], error: 'EINVAL', stage: 'child', operation: 'pivot-root: pivot_root', hint: /rootfs/ },
  { calls: ['umount2'], error: 'EBUSY', stage: 'child', operation: 'pivot-root: umount' },
  // stage child: rights
  {
    calls: ['prlimit64'],
    error: 'EPERM',
    options: { ulimits: { core: 5 } },
    stage: 'child',
    operation: 'rlimit: prlimit',
    hint: /CAP_SYS_RESOURCE/,
  },
  { calls: ['seccomp'], error: 'EINVAL', stage: 'child', operation: 'seccomp' },
  { calls: ['setgroups'], error: 'EPERM', stage: 'child', operation: 'named-identity: setgroups' },
  { calls: ['setresgid'], error: 'EPERM', stage: 'child', operation: 'named-identity: setresgid' },
  {
    calls: ['setresuid'],
    error: 'EAGAIN',
    stage: 'child',
    operation: 'named-identity: setresuid',
    hint: /RLIMIT_NPROC/,
  },
  { calls: ['capget'], error: 'EINVAL', stage: 'child', operation: 'capabilities: capget' },
  { calls: ['capset'], error: 'EPERM', stage: 'child', operation: 'capabilities: capset' },
  { calls: ['getcwd'], error: 'ENOENT', stage: 'child', operation: 'working-directory: chdir' },
  { calls: ['execve'], error: 'ENOMEM', code: 'PROGRAM_NOT_EXECUTABLE' },
  { calls: ['execve'], error: 'ENOENT', code: 'PROGRAM_NOT_FOUND' },
  // after the start
  { calls: ['?rename', 'renameat', 'renameat2'], error: 'EIO', operation: 'start: write' },
  // a process that joins, with a terminal
  {
    way: 'exec',
    calls: ['setns'],
    error: 'EPERM',
    stage: 'prepare',
    operation: 'join-namespace: setns',
    hint: /joining a container/,
  },
  { way: 'exec', calls: ['pidfd_open'], error: 'ESRCH', stage: 'prepare', operation: 'open-process: pidfd_open' },
  {
    way: 'exec',
    calls: ['clone3'],
    error: 'EAGAIN',
    stage: 'prepare',
    operation: 'start: clone3',
    hint: /limit of processes/,
  },
  { way: 'exec', calls: ['chdir'], error: 'EACCES', stage: 'child', operation: 'working-directory: chdir' },
  { way: 'tty', calls: ['ioctl'], error: 'EIO', stage: 'child', operation: 'terminal: ioctl' },
  {
    way: 'tty',
    calls: ['sendmsg'],
    error: 'EMFILE',
    stage: 'child',
    operation: 'terminal: sendmsg',
    hint: /RLIMIT_NOFILE/,
  },
  // networks
  {
    calls: ['sendto'],
    error: 'EPERM',
    when: '1',
    options: { network: 'bridge' },
    operation: 'netlink: send',
    hint: /CAP_NET_ADMIN/,
  },
  {
    calls: ['bind'],
    error: 'EACCES',
    options: { network: 'bridge', ports: ['127.0.0.1:80:80'] },
    stage: 'prepare',
    operation: 'reserve-port: bind',
    hint: /CAP_NET_BIND_SERVICE/,
  },
  {
    calls: ['bind'],
    error: 'EADDRINUSE',
    options: { network: 'bridge', ports: ['127.0.0.1:80:80'] },
    code: 'PORT_TAKEN',
  },
];

describe('each step of a start that fails', () => {
  let lab: EngineLab;
  let image: string;
  let long: Container;
  let still: Footprint;

  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
    long = await lab.engine.containers.create({ image, command: ['sleep', '100000'], network: 'none' });
    await long.start();
    await lab.engine.run(image, ['true']); // makes the network
    await mkdir(join(lab.directory, 'volume'));
    still = await settledFootprint({
      roots: [join(lab.options.runRoot, 'containers'), join(lab.options.root, 'containers')],
    });
  });
  after(() => lab[Symbol.asyncDispose]());

  const ways = {
    run: (row: Row) => lab.engine.run(image, ['true'], { network: 'none', ...row.options }),
    start: async () => {
      const container = await lab.engine.containers.create({ image, command: ['true'], network: 'none' });
      try {
        await container.start();
        return await container.wait();
      } finally {
        await container.remove({ force: true });
      }
    },
    exec: () => long.exec(['true'], { workingDir: '/etc' }),
    tty: async () => {
      const shell = await long.spawn(['true'], { tty: { columns: 80, rows: 24 } });
      shell.stdout?.resume();
      return shell.wait();
    },
  };

  for (const row of rows) {
    const { calls, error: errno, way = 'run', code = 'LAUNCH_FAILED' } = row;
    test(`${way}: ${calls.at(-1)} with ${errno}${row.when === undefined ? '' : `, time ${row.when}`}`, {
      timeout: 30_000,
    }, async () => {
      const outcome = await withFailingCalls(row, async () => {
        if (row.second === true) await ways[way](row);
        return ways[way](row).catch((error: unknown) => error);
      });
      // Also by the supervisor that was made to stand by when its calls failed.
      assert.equal((await ways[way]({ calls, error: '' })).exitCode, 0, 'without it the same works');
      assert.ok(EngineError.is(outcome), `no error of ours: ${JSON.stringify(outcome)} ${String(outcome)}`);
      assert.equal(outcome.code, code, outcome.message);
      assert.deepEqual(outcome.cleanupErrors, []);
      if (EngineError.is(outcome, 'LAUNCH_FAILED')) {
        const { stage, operation, operand, hint } = outcome.data;
        assert.equal(outcome.data.errno, errno, outcome.message);
        assert.equal(stage, row.stage ?? stage);
        assert.equal(operation, row.operation ?? operation);
        assert.ok(operation.length > 0 && operand.length > 0, outcome.message);
        if (row.hint !== undefined) assert.match(hint, row.hint);
      }
      assert.deepEqual(
        (await lab.engine.containers.list()).map(({ id }) => id),
        [long.id],
      );
      await assertSameFootprint(still);
    });
  }
});
