import { EngineError } from '../../core/errors/engine-error.js';
import type { RootAccess } from '../root-access.js';

/** Roots of containers on fakes: they have no files. */
export function createMemoryRootAccess(): RootAccess {
  const isRoot = (path: string): boolean => path.split('/').every((part) => part === '' || part === '.');
  const require = (path: string): void => {
    if (!isRoot(path)) throw new EngineError('NO_SUCH_PATH', { path });
  };
  return {
    async *pack(_view, { path }) {
      require(path);
      yield emptyArchive;
    },
    stat: async (_view, { path }) => {
      require(path);
      return { type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, modifiedAt: new Date(0), target: undefined };
    },
    copyIn: async (_view, { path, archive }) => {
      require(path);
      for await (const _ of archive);
    },
    changes: async () => [],
    async *packChanges() {
      yield emptyArchive;
    },
  };
}

const emptyArchive = new Uint8Array(1024);
