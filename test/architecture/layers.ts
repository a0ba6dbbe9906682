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
  { name: 'images', members: ['lib/image/'], mayImport: [...inner, 'policy'] },
  { name: 'containers', members: ['lib/container/', 'lib/build/'], mayImport: [...inner, 'policy', 'images'] },
  {
    name: 'composition root',
    members: [
      'lib/engine/default-services.ts',
      'lib/engine/default-launcher.ts',
      'lib/engine/default-registries.ts',
      'lib/engine/default-registry-server.ts',
    ],
    mayImport: ['*'],
  },
  {
    name: 'engine',
    members: ['lib/engine/'],
    mayImport: [...inner, 'policy', 'images', 'containers', 'composition root'],
  },
  { name: 'outside', members: ['lib/docker-api/', 'lib/cli/', 'lib/testing/'], mayImport: ['*'] },
  {
    name: 'entry point',
    members: ['lib/index.ts', 'lib/testing.ts', 'lib/docker-api.ts'],
    mayImport: ['*'],
  },
];

/** What a mechanism's folder shows to the mechanisms beside it: the interface that others are written against. */
export const ports: readonly string[] = [
  'lib/kernel/kernel.ts',
  'lib/registry/registry-client.ts',
  'lib/registry/http-client.ts',
  'lib/registry/credential-source.ts',
  'lib/content/content-store.ts',
  'lib/layers/layer-store.ts',
  'lib/runtime/launcher.ts',
  'lib/runtime/launch-plan.ts',
  'lib/network/network-driver.ts',
  'lib/network/port-mapping.ts',
];

/**
 * What a mechanism shows to use cases (`policy` above): the files directly in these folders, which are ports and pure
 * functions. Deeper folders are adapters, each one technology that fulfils a port.
 */
export const policyFolders: readonly string[] = [
  'lib/kernel/',
  'lib/registry/',
  'lib/content/',
  'lib/layers/',
  'lib/layers/compression/',
  'lib/runtime/',
  'lib/runtime/seccomp/',
  'lib/runtime/cgroup/',
  'lib/runtime/oci/',
  'lib/runtime/oci/cgroup/',
  'lib/network/',
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
export const adapterUsers: readonly string[] = [
  'lib/engine/default-services.ts',
  'lib/engine/default-launcher.ts',
  'lib/engine/default-registries.ts',
  'lib/engine/default-registry-server.ts',
  'lib/cli/', // each command is a program of its own, and puts itself together
  'lib/testing.ts',
  'lib/testing/',
];
