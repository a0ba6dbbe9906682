import { constants } from 'node:fs';
import { access, readdir, readFile, realpath } from 'node:fs/promises';
import type { CgroupFileAccess } from './probe-cgroups.js';

/** The real file system. Every failure is an answer: the file is not there for us. */
export const fsCgroupFileAccess: CgroupFileAccess = {
  readText: (path) => readFile(path, 'utf8').catch(() => undefined),
  list: (path) => readdir(path).catch(() => undefined),
  realPath: (path) => realpath(path).catch(() => undefined),
  isWritable: (directory) =>
    access(directory, constants.W_OK).then(
      () => true,
      () => false,
    ),
};
