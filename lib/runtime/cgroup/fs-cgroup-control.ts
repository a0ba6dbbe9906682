import { readFileSync } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import { hasErrno } from '../../util/errno.js';
import type { CgroupControl } from './cgroup-control.js';
import { fsCgroupFileAccess } from './fs-cgroup-file-access.js';

/** The real file system. */
export const fsCgroupControl: CgroupControl = {
  readText: fsCgroupFileAccess.readText,
  peek: (path) => {
    try {
      return readFileSync(path, 'latin1');
    } catch {
      return undefined; // it has gone with its group
    }
  },
  writeText: async (path, data) => {
    const file = await open(path, 'r+');
    try {
      await file.write(data);
    } finally {
      await file.close();
    }
  },
  makeDirectory: async (path, mode) => {
    await mkdir(path, { mode, recursive: true });
  },
  listGroups: async (directory) => {
    try {
      return (await readdir(directory, { withFileTypes: true }))
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name);
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENODEV')) return [];
      throw error;
    }
  },
};
