import { open } from 'node:fs/promises';
import type { CgroupControl } from './cgroup-control.js';
import { fsCgroupFileAccess } from './fs-cgroup-file-access.js';

/** The real file system. */
export const fsCgroupControl: CgroupControl = {
  readText: fsCgroupFileAccess.readText,
  writeText: async (path, data) => {
    const file = await open(path, 'r+');
    try {
      await file.write(data);
    } finally {
      await file.close();
    }
  },
};
