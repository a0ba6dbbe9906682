import { chmodSync, chownSync, utimesSync } from 'node:fs';
import type { RootAttributes } from './shim/shim-report.js';

/** Gives `directory` the attributes that an image gives its root directory; without any it is root:root 0755. */
export function applyRootAttributes(directory: string, root: RootAttributes | undefined): void {
  if (root === undefined) {
    chmodSync(directory, 0o755); // whatever the umask was
    return;
  }
  chownSync(directory, root.uid, root.gid);
  chmodSync(directory, root.mode);
  utimesSync(directory, Number(root.mtime), Number(root.mtime));
}
