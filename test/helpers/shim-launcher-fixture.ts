import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shimPaths } from '#lib/engine/shim-paths.js';
import { KoffiKernel } from '#lib/kernel/koffi/koffi-kernel.js';
import type { ContainerSpec } from '#lib/runtime/container-spec.js';
import type { Launcher } from '#lib/runtime/launcher.js';
import { ShimLauncher } from '#lib/runtime/shim/shim-launcher.js';
import { contractPrograms } from '#lib/testing/contracts/launcher-programs.js';
import type { CommandOptions, LauncherUnderTest } from '#lib/testing/contracts/launcher-under-test.js';
import { contractSpec } from './contract-spec.js';

const applets = ['sh', 'cat', 'head', 'tr', 'sleep', 'stty', 'id', 'ls', 'true'];

/** The real launcher, or one on top of it, with a root directory that holds busybox. */
export async function openShimLauncher(
  wrap: (shim: ShimLauncher, base: string) => Launcher = (shim) => shim,
): Promise<LauncherUnderTest & { readonly rootDirectory: string }> {
  const base = mkdtempSync(join(tmpdir(), 'tscontainer-launcher-'));
  const rootDirectory = join(base, 'image');
  const target = join(base, 'target');
  const directory = join(base, 'files');
  makeRoot(rootDirectory);
  for (const path of [target, directory]) mkdirSync(path);
  const kernel = new KoffiKernel();
  const launcher = wrap(new ShimLauncher(kernel, shimPaths()), base);
  const spec = (words: readonly string[], options: CommandOptions): ContainerSpec =>
    contractSpec(rootDirectory, target, words, options);
  return {
    launcher,
    directory,
    rootDirectory,
    spec: (program, words, options) => spec(['sh', '-c', contractPrograms[program].script, program, ...words], options),
    brokenSpec: (kind) => spec([kind === 'missing' ? '/bin/missing' : '/bin/text'], {}),
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
