/**
 * The import directions of the project, as data. A file belongs to the layer of the longest matching prefix; a file that
 * belongs to none makes the test fail, so that a new folder is placed on purpose.
 */
export interface Layer {
  readonly name: string;
  /** Folders (with a final slash) and single files, from the repository's root. */
  readonly members: readonly string[];
  /** Layers that it may import from, besides itself. A folder of a `siblings` layer sees itself only, and ports. */
  readonly mayImport: readonly string[];
  /** The layer's folders do not see each other, except for each other's ports. */
  readonly siblings?: true;
}

const inner = ['core', 'util', 'kernel'];

export const layers: readonly Layer[] = [
  { name: 'core', members: ['lib/core/'], mayImport: [] },
  { name: 'util', members: ['lib/util/'], mayImport: ['core'] },
  { name: 'kernel', members: ['lib/kernel/'], mayImport: ['core', 'util'] },
  {
    name: 'mechanism',
    members: ['lib/registry/', 'lib/content/', 'lib/layers/', 'lib/runtime/', 'lib/network/', 'lib/volume/'],
    mayImport: inner,
    siblings: true,
  },
  {
    name: 'use case',
    members: ['lib/image/', 'lib/container/', 'lib/build/'],
    mayImport: [...inner, 'port'],
    siblings: true,
  },
  { name: 'composition root', members: ['lib/engine/default-services.ts'], mayImport: ['*'] },
  { name: 'engine', members: ['lib/engine/'], mayImport: [...inner, 'port', 'use case', 'composition root'] },
  { name: 'outside', members: ['lib/docker-api/', 'lib/cli/', 'lib/testing/'], mayImport: ['*'] },
  {
    name: 'entry point',
    members: ['lib/index.ts', 'lib/testing.ts', 'lib/docker-api.ts'],
    mayImport: ['*'],
  },
];

/**
 * Ports: what folders of the layer `mechanism` show to others. These are the files at the root of a folder that only
 * declare (interfaces, types, constants, pure functions of them); what implements them is in a subfolder.
 */
export const ports: readonly string[] = [
  'lib/kernel/kernel.ts',
  'lib/registry/registry-client.ts',
  'lib/registry/http-client.ts',
  'lib/registry/credential-source.ts',
  'lib/content/content-store.ts',
  'lib/layers/layer-store.ts',
  'lib/runtime/launcher.ts',
  'lib/runtime/launch-plan.ts',
  'lib/runtime/child-operation.ts',
  'lib/network/network-driver.ts',
  'lib/network/firewall.ts',
  'lib/network/port-mapping.ts',
  'lib/volume/volume-store.ts',
];

/** Imports that are allowed although the directions above forbid them, each with its reason. */
export const exceptions: readonly { readonly from: string; readonly to: string; readonly because: string }[] = [];

/** Packages that only one place may import. */
export const packageHomes: Readonly<Record<string, readonly string[]>> = {
  koffi: ['lib/kernel/'],
  'node-fetch': ['lib/registry/node-fetch/'],
};

/** Where the process' environment may be read. */
export const environmentReaders: readonly string[] = ['lib/engine/', 'lib/cli/'];

/** Adapters are the subfolders of `mechanism` and `kernel` folders: only these may import them from outside. */
export const adapterUsers: readonly string[] = ['lib/engine/default-services.ts', 'lib/testing.ts', 'lib/testing/'];
