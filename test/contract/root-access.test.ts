import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryRootAccess } from '#lib/layers/memory/memory-root-access.js';
import { createShimRootAccess } from '#lib/layers/shim/shim-root-access.js';
import { rootAccessContract } from '#lib/testing/contracts/root-access-contract.js';
import { shimPath } from '../helpers/layer-fixtures.js';

const nothing = { kind: 'tree', directory: '/', below: ['/'], except: [] } as const;

rootAccessContract({
  name: 'memory',
  open: async () => ({
    access: createMemoryRootAccess(),
    view: { kind: 'tree', directory: '/', binds: [] },
    changed: nothing,
    [Symbol.asyncDispose]: async () => undefined,
  }),
});

rootAccessContract({
  name: 'shim',
  open: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tsc-roots-'));
    const [jail, root] = [join(directory, 'jail'), join(directory, 'root')];
    for (const each of [jail, root]) await mkdir(each);
    await writeFile(join(root, 'file'), 'content');
    return {
      access: createShimRootAccess(shimPath, jail),
      view: { kind: 'tree', directory: root, binds: [] },
      changed: { ...nothing, directory: root, below: [root] },
      [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
    };
  },
});
