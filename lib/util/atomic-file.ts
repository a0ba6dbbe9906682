import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** How much a write must survive: `durable` a power cut, `volatile` only a crash of this process. */
export type Durability = 'durable' | 'volatile';

/** Replaces `path` in one step: a reader sees the old content or the new, never a part. Mode 0600. */
export async function writeFileAtomically(
  path: string,
  data: string | Uint8Array,
  durability: Durability = 'durable',
): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    try {
      await file.writeFile(data);
      if (durability === 'durable') await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  if (durability === 'durable') await syncDirectory(dirname(path));
}

/** Makes renames and new names in `path` survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
