import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OciLab } from './oci-bundle.js';
import type { ProgramResult } from './run-program.js';
import { type RunToExitOptions, runToExit } from './run-to-exit.js';

/**
 * A runtime of Debian 12, old enough to fall for attacks that became known later. Security tests make the same attack on
 * one of them, to show that the attack is one.
 */
export type OldRuntime = 'runc' | 'crun';

/** Calls of its command line, with a state directory beside the bundle of `lab`. */
export async function oldRuntimeCall(
  runtime: OldRuntime,
  lab: OciLab,
  options: RunToExitOptions = {},
): Promise<(...words: readonly string[]) => Promise<ProgramResult>> {
  await lowerVersion(join(lab.bundle, 'config.json'));
  const root = join(dirname(lab.bundle), runtime);
  const [program, ...before] = runtime === 'crun' ? withoutUnified : [runtime];
  return (...words) => runToExit(program, [...before, '--root', root, ...words], { cwd: lab.bundle, ...options });
}

/** crun refuses a machine on which the cgroup v2 hierarchy beside those of v1 has a controller: it does not see that one. */
const withoutUnified = [
  'unshare',
  ...['--mount', '--propagation', 'slave', 'sh', '-c'],
  'umount /sys/fs/cgroup/unified 2>/dev/null; exec crun "$@"',
  'crun',
] as const;

/** Runs the bundle of `lab` in the foreground, and removes what is left of it when it fails. */
export async function runWithOldRuntime(
  runtime: OldRuntime,
  lab: OciLab,
  words: readonly string[] = [],
  options: RunToExitOptions = {},
): Promise<ProgramResult> {
  const call = await oldRuntimeCall(runtime, lab, options);
  try {
    return await call('run', ...words, 'control');
  } finally {
    await call('delete', '--force', 'control');
  }
}

/** crun 1.8 runs configurations up to 1.0 only. */
async function lowerVersion(path: string): Promise<void> {
  const config = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...config, ociVersion: '1.0.2' }));
}
