import { join } from 'node:path';
import { FsContentStore } from '#lib/content/fs/fs-content-store.js';
import { MemoryContentStore } from '#lib/content/memory/memory-content-store.js';
import { contentStoreContract } from '#lib/testing/contracts/content-store-contract.js';
import { memoryFileLocker } from '../helpers/memory-file-locker.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

contentStoreContract('memory', async () => ({
  store: new MemoryContentStore(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
}));

contentStoreContract('fs', async () => {
  const directory = await temporaryDirectory();
  return {
    store: new FsContentStore(join(directory.path, 'content'), memoryFileLocker()),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
});
