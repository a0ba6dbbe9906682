import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openCopyLayerStore } from '#lib/layers/copy/copy-layer-store.js';
import { createMemoryLayerStore } from '#lib/layers/memory/memory-layer-store.js';
import { openOverlayLayerStore } from '#lib/layers/overlay/overlay-layer-store.js';
import { layerStoreContract, type WithLayerStore } from '#lib/testing/contracts/layer-store-contract.js';
import { flockLock } from '../helpers/flock-lock.js';
import { shimPath, withDirectory } from '../helpers/layer-fixtures.js';
import { viewOf } from '../helpers/mounted-view.js';

const withFiles =
  (open: typeof openOverlayLayerStore): WithLayerStore =>
  (work) =>
    withDirectory(async (directory) => {
      const storage = join(directory, 'store');
      const target = join(directory, 'mounted');
      await mkdir(target);
      const store = await open({ directory: storage, shimPath, acquireLock: flockLock, sync: false });
      await work({ store, directory, storage, view: (mount) => viewOf(mount, target) });
    });

layerStoreContract('overlay', withFiles(openOverlayLayerStore));
layerStoreContract(
  'erofs',
  withFiles((options) => openOverlayLayerStore({ ...options, indexed: true })),
);
layerStoreContract('copy', withFiles(openCopyLayerStore));
layerStoreContract('memory', (work) =>
  withDirectory(async (directory) => {
    const store = createMemoryLayerStore();
    await work({
      store,
      directory,
      storage: undefined,
      view: async (_, diffIds) =>
        new Map(
          [...store.view(diffIds)].map(([path, { type, linkTarget, content }]) => [
            path,
            type === 'Directory' ? 'd' : type === 'SymbolicLink' ? `l:${linkTarget}` : content.toString('latin1'),
          ]),
        ),
    });
  }),
);
