import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { runChecked } from './run-checked.js';

const asIs = [
  '--format=posix',
  '--pax-option=delete=atime,delete=ctime',
  '--numeric-owner',
  '--xattrs',
  '--xattrs-include=*',
  '--sort=name',
];

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

/**
 * Writes `folder` of `root` to a tar file in which hard links to `file` are links to something that the archive does not
 * have: `file` comes first, and the bytes of its entry are cut off. (`tar --delete` damages archives of this format.)
 */
export async function tarWithoutLinkTarget(root: string, folder: string, file: string, tar: string): Promise<void> {
  const whole = `${tar}.whole`;
  const entry = `${tar}.entry`;
  await runChecked('tar', ['-C', root, ...asIs, '-b1', '-cf', whole, file, folder]);
  await runChecked('tar', ['-C', root, ...asIs, '-b1', '-cf', entry, file]);
  const endOfArchive = 2 * 512;
  const start = (await stat(entry)).size - endOfArchive;
  await pipeline(createReadStream(whole, { start }), createWriteStream(tar));
  await Promise.all([rm(whole), rm(entry)]);
}
