import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shimPaths } from '#lib/engine/shim-paths.js';
import { KoffiKernel } from '#lib/kernel/koffi/koffi-kernel.js';
import type { LaunchPlan } from '#lib/runtime/launch-plan.js';
import { ShimLauncher } from '#lib/runtime/shim/shim-launcher.js';
import { contractPrograms } from '#lib/testing/contracts/launcher-programs.js';
import type { CommandOptions, LauncherUnderTest } from '#lib/testing/contracts/launcher-under-test.js';

const applets = ['sh', 'cat', 'head', 'tr', 'sleep', 'stty', 'id', 'ls', 'true'];

/** The real launcher, with a root directory that holds busybox. */
export async function openShimLauncher(): Promise<LauncherUnderTest & { readonly rootDirectory: string }> {
  const base = mkdtempSync(join(tmpdir(), 'tscontainer-launcher-'));
  const rootDirectory = join(base, 'image');
  const target = join(base, 'target');
  const directory = join(base, 'files');
  makeRoot(rootDirectory);
  for (const path of [target, directory]) mkdirSync(path);
  const kernel = new KoffiKernel();
  const launcher = new ShimLauncher(kernel, shimPaths());
  const plan = (words: readonly string[], options: CommandOptions): LaunchPlan =>
    commandPlan(rootDirectory, target, words, options);
  return {
    launcher,
    directory,
    rootDirectory,
    plan: (program, words, options) => plan(['sh', '-c', contractPrograms[program].script, program, ...words], options),
    brokenPlan: (kind) => plan([kind === 'missing' ? '/bin/missing' : '/bin/text'], {}),
    [Symbol.asyncDispose]: async () => {
      await launcher.close();
      kernel.dispose();
      await rm(base, { recursive: true });
    },
  };
}

function makeRoot(root: string): void {
  rmSync(root, { recursive: true, force: true });
  for (const name of ['bin', 'dev', 'proc', 'etc']) mkdirSync(join(root, name), { recursive: true });
  copyFileSync('/bin/busybox', join(root, 'bin', 'busybox'));
  chmodSync(join(root, 'bin', 'busybox'), 0o755);
  for (const applet of applets) symlinkSync('busybox', join(root, 'bin', applet));
  writeFileSync(join(root, 'bin', 'text'), 'no program', { mode: 0o644 });
}

/** The least that makes a container: new mount and PID namespaces, the directory as root, /proc and /dev. */
function commandPlan(
  rootDirectory: string,
  target: string,
  words: readonly string[],
  { environment = [], terminal }: CommandOptions,
): LaunchPlan {
  const node = { op: 'node', kind: 'char', mode: 0o666, major: 1, uid: 0, gid: 0 } as const;
  const mount = { op: 'mount', attributes: [], noLinks: true } as const;
  return {
    namespaces: ['mount', 'pid'],
    prepare: [],
    parent: [],
    child: [
      { op: 'propagation', mode: 'slave' },
      { op: 'bind-root', source: rootDirectory, target },
      { ...mount, type: 'proc', target: '/proc', options: ['source=proc'] },
      { ...mount, type: 'tmpfs', target: '/dev', options: ['source=dev', 'mode=755'] },
      { ...mount, type: 'devpts', target: '/dev/pts', options: ['newinstance', 'ptmxmode=0666', 'mode=0620'] },
      { ...node, path: '/dev/null', minor: 3 },
      { ...node, path: '/dev/zero', minor: 5 },
      { op: 'sync' },
      { op: 'session' },
      ...(terminal === undefined ? [] : [{ op: 'terminal', ...terminal } as const]),
      { op: 'pivot-root' },
      { op: 'working-directory', path: '/' },
      { op: 'execute', arguments: words, environment: ['PATH=/bin', ...environment] },
    ],
    cleanup: [],
  };
}
