import { chmod, chown, utimes } from 'node:fs/promises';
import type { RootAttributes } from './shim/shim-report.js';

/** Gives `directory` the attributes that an image gives its root directory; without any it is root:root 0755. */
export async function applyRootAttributes(directory: string, root: RootAttributes | undefined): Promise<void> {
  if (root === undefined) {
    await chmod(directory, 0o755); // whatever the umask was
    return;
  }
  await chown(directory, root.uid, root.gid);
  await chmod(directory, root.mode);
  await utimes(directory, Number(root.mtime), Number(root.mtime));
}
