import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { isMissing } from './file-error.js';

/** Bytes on disk of everything below a directory, a file of several names counted once. What vanishes meanwhile counts nothing. */
export async function directoryBytes(path: string): Promise<number> {
  const seen = new Set<string>();
  const visit = async (directory: Buffer): Promise<number> => {
    let bytes = 0;
    for (const entry of await entriesOf(directory)) {
      const child = Buffer.concat([directory, Buffer.from('/'), entry.name]);
      const status = await lstat(child, { bigint: true }).catch(ignoreMissing);
      if (status === undefined) continue;
      if (status.isDirectory()) bytes += await visit(child);
      const key = `${status.dev}:${status.ino}`;
      if (!status.isDirectory() && status.nlink > 1n && seen.has(key)) continue;
      seen.add(key);
      bytes += Number(status.blocks) * 512;
    }
    return bytes;
  };
  return visit(Buffer.from(path));
}

async function entriesOf(directory: Buffer): Promise<readonly Dirent<Buffer>[]> {
  const options = { withFileTypes: true, encoding: 'buffer' } as const;
  return (await readdir(directory, options).catch(ignoreMissing)) ?? [];
}

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
