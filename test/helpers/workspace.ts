import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertSameFootprint, type FootprintOptions, footprint } from './footprint.js';

/** A place for one test's files, with the promise that the test leaves nothing behind. */
export interface Workspace extends AsyncDisposable {
  /** The directory itself. */
  readonly path: string;
  /** A data root and a run directory for an engine, not yet existing. */
  readonly engineRoot: string;
  readonly engineRunRoot: string;
  /** Makes a directory below the workspace and returns its path. */
  directory(name: string): Promise<string>;
}

/**
 * Makes a directory of its own below the temporary directory. On disposal the directory is removed, and it fails when
 * that is impossible (a mount or an immutable file below it) or when anything else of the machine differs from what it
 * was when the workspace was made.
 */
export async function workspace(options: FootprintOptions = {}): Promise<Workspace> {
  const before = await footprint(options);
  const path = await mkdtemp(join(tmpdir(), 'tsc-'));
  return {
    path,
    engineRoot: join(path, 'root'),
    engineRunRoot: join(path, 'run'),
    async directory(name) {
      const made = join(path, name);
      await mkdir(made, { recursive: true });
      return made;
    },
    async [Symbol.asyncDispose]() {
      // The machine first: removing files below a forgotten mount would change what is mounted there.
      await assertSameFootprint(before);
      await rm(path, { recursive: true });
      const left = await readdir(path).catch((error: NodeJS.ErrnoException) => error.code);
      if (left !== 'ENOENT') throw new Error(`workspace ${path} is still there: ${String(left)}`);
    },
  };
}
