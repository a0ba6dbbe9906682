import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ProgramResult } from './run-program.js';
import { type RunToExitOptions, runToExit } from './run-to-exit.js';

const main = fileURLToPath(new URL('../../../dist/cli/oci/main.js', import.meta.url));
const applets = [
  'sh',
  'cat',
  'echo',
  'id',
  'ls',
  'sleep',
  'stty',
  'tty',
  'test',
  'readlink',
  'touch',
  'env',
  'stat',
  'head',
  'find',
  'mkdir',
  'rmdir',
  'mount',
  'grep',
];

/** A bundle with a busybox root, and the runtime with a state directory of its own. Everything goes with the test. */
export interface OciLab {
  readonly bundle: string;
  readonly root: string;
  /** Writes config.json: the given arguments in all namespaces, changed by `change`. */
  configure(args: readonly string[], change?: (config: LabConfig) => void): Promise<void>;
  /** Runs `tscontainer-oci` to its end. */
  oci(...words: readonly string[]): Promise<ProgramResult>;
  /** The same with descriptors from 3. */
  ociWith(options: RunToExitOptions, ...words: readonly string[]): Promise<ProgramResult>;
}

/** What tests change of a configuration. */
export interface LabConfig {
  process: Record<string, unknown>;
  linux: Record<string, unknown> & { namespaces: Record<string, unknown>[] };
  mounts: Record<string, unknown>[];
  hooks?: Record<string, unknown>;
  annotations?: Record<string, string>;
}

export async function ociLab(context: TestContext): Promise<OciLab> {
  const directory = await mkdtemp(join(tmpdir(), 'tsc-oci-'));
  const bundle = join(directory, 'bundle');
  const root = join(directory, 'state');
  const ociWith = (options: RunToExitOptions, ...words: readonly string[]) =>
    runToExit(process.execPath, [main, '--root', root, ...words], { cwd: bundle, ...options });
  const oci = (...words: readonly string[]) => ociWith({}, ...words);
  context.after(async () => {
    const { stdout } = await oci('list', '-q');
    for (const id of stdout.split('\n').filter(Boolean)) await oci('delete', '-f', id);
    await rm(directory, { recursive: true, force: true });
  });
  const rootfs = join(bundle, 'rootfs');
  for (const each of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp']) await mkdir(join(rootfs, each), { recursive: true });
  await copyFile('/bin/busybox', join(rootfs, 'bin/busybox'));
  await chmod(join(rootfs, 'bin/busybox'), 0o755);
  for (const each of applets) await symlink('busybox', join(rootfs, 'bin', each));
  await writeFile(join(rootfs, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n');
  return {
    bundle,
    root,
    oci,
    ociWith,
    configure: async (args, change = () => undefined) => {
      const config = labConfig(args);
      change(config);
      await writeFile(join(bundle, 'config.json'), JSON.stringify(config));
    },
  };
}

function labConfig(args: readonly string[]): LabConfig & Record<string, unknown> {
  const types = ['mount', 'pid', 'ipc', 'uts', 'network', 'cgroup'];
  return {
    ociVersion: '1.2.0',
    root: { path: 'rootfs', readonly: true },
    hostname: 'lab',
    process: { args, cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 }, noNewPrivileges: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev'] },
    ],
    linux: { namespaces: types.map((type) => ({ type })), maskedPaths: ['/proc/kcore'], readonlyPaths: ['/proc/sys'] },
  };
}
