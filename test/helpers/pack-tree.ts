import { runChecked } from './run-checked.js';

const asIs = ['--format=posix', '--numeric-owner', '--xattrs', '--xattrs-include=*', '--sort=name'];

/** Every path below `root`, itself included, as `./a/b`, parents first. */
export async function listTree(root: string): Promise<string[]> {
  const output = await runChecked('find', ['.', '-print0'], { cwd: root });
  return output.split('\0').filter(Boolean).sort();
}

/** Writes these paths of `root`, and not what is below them, to a tar file. */
export async function tarPaths(root: string, paths: readonly string[], tar: string): Promise<void> {
  await runChecked('tar', ['-C', root, ...asIs, '--no-recursion', '--null', '-T', '-', '-cf', tar], {
    input: paths.join('\0'),
  });
}

/** Writes everything below `root` to a tar file. */
export async function tarDirectory(root: string, tar: string): Promise<void> {
  await runChecked('tar', ['-C', root, ...asIs, '-cf', tar, '.']);
}
