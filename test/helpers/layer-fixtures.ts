import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runShim } from '#lib/layers/shim/run-shim.js';
import type { ShimReport } from '#lib/layers/shim/shim-report.js';

export { layerOf } from '#lib/testing/layer-of.js';

/** The shim that `npm run build:native` makes. */
export const shimPath = fileURLToPath(
  new URL(`../../../native/prebuilt/linux-${process.arch}/tscontainer-shim`, import.meta.url),
);

/** Runs `work` with a fresh directory, which is removed with everything in it whatever happens. */
export async function withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'tsc-layers-'));
  try {
    return await work(directory);
  } finally {
    try {
      await runShim(shimPath, ['remove-tree', directory]); // takes names and depths that Node does not
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

/** Unpacks an archive into `directory/fs` and returns the report, which may be that of a failure. */
export async function unpack(directory: string, archive: Buffer, flags: readonly string[] = []): Promise<ShimReport> {
  const tree = join(directory, 'fs');
  await mkdir(tree, { recursive: true });
  return runShim(shimPath, ['unpack', ...flags, tree], { input: archive });
}
