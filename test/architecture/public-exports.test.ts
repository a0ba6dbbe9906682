import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as main from 'tscontainer';
import * as testing from 'tscontainer/testing';
import { publicTypes } from './public-types.js';
import { repository, sourceFiles } from './source-files.js';

test('the values that tscontainer exports', () => {
  assert.deepEqual(Object.keys(main).sort(), [
    'AttachedStreams',
    'Container',
    'ContainerProcess',
    'DumpFailure',
    'Engine',
    'EngineError',
    'Image',
    'bridgeTerminal',
    'serveRegistry',
  ]);
});

test('the values that tscontainer/testing exports', () => {
  assert.deepEqual(Object.keys(testing).sort(), [
    'MemoryCgroups',
    'MemoryCheckpointer',
    'MemoryContentStore',
    'MemoryKernel',
    'MemoryLauncher',
    'MemoryRegistryClient',
    'RunningServices',
    'StartedService',
    'StaticCredentialSource',
    'TestContainers',
    'addMemoryImage',
    'allOf',
    'contentStoreContract',
    'contractPrograms',
    'createMemoryLayerStore',
    'createMemoryNetworkDriver',
    'forCommand',
    'forCondition',
    'forExit',
    'forHealth',
    'forHttp',
    'forLogLine',
    'forPort',
    'kernelContract',
    'launcherContract',
    'layerStoreContract',
    'needs',
    'networkDriverContract',
    'openMemoryEngine',
    'registryClientContract',
    'rootAccessContract',
    'startServices',
    'testContainers',
    'waitFor',
  ]);
});

test('the types that the entry points export', () => {
  assert.deepEqual(exportedTypes('lib/index.ts'), publicTypes);
  assert.deepEqual(exportedTypes('lib/testing.ts'), [
    'BlobInfo',
    'BlobSource',
    'BlobWriter',
    'ChangedRoot',
    'Checkpointer',
    'CommandOptions',
    'CommandReadinessOptions',
    'ContentStore',
    'ContentStoreSubject',
    'ContractProgram',
    'ContractProgramName',
    'Controller',
    'CopyInOptions',
    'DecompressOptions',
    'DependentService',
    'HttpOptions',
    'IngestOptions',
    'Kernel',
    'KernelCall',
    'KernelFixture',
    'Launcher',
    'LauncherFixture',
    'LauncherUnderTest',
    'LayerStoreUnderTest',
    'LogLineOptions',
    'MemoryCgroupsOptions',
    'MemoryCheckpointerOptions',
    'MemoryEngineOptions',
    'MemoryFile',
    'MemoryImage',
    'MemoryLaunch',
    'MemoryLauncherOptions',
    'MemoryLayerStore',
    'MemoryLayerStoreOptions',
    'MemoryProcessContext',
    'MemoryProgram',
    'NetworkDriverFixture',
    'OpenedNetworkDriver',
    'OperationFailure',
    'PackOptions',
    'PathOptions',
    'PathStatus',
    'ReadOptions',
    'Readiness',
    'ReadinessContext',
    'RegistryUnderTest',
    'RootAccess',
    'RootAccessUnderTest',
    'RootBind',
    'RootChange',
    'RootView',
    'ServiceDefinition',
    'ServiceOptions',
    'StartOptions',
    'StartedServices',
    'TakenPort',
    'TestContainersOptions',
    'TestHooks',
    'WaitForOptions',
    'WithLayerStore',
  ]);
});

test('the entry points name what they export', () => {
  for (const path of ['lib/index.ts', 'lib/testing.ts']) assert.doesNotMatch(source(path), /export\s*\*/);
});

const source = (path: string): string => {
  const file = sourceFiles('lib').find((each) => each.path === path);
  assert.ok(file, `${path} below ${repository}`);
  return file.lines.join('\n');
};

/** Names after `export type {` and names marked `type` in an export list. */
function exportedTypes(path: string): string[] {
  const lists = [...source(path).matchAll(/export\s+(type\s+)?\{([^}]*)\}/g)];
  return lists
    .flatMap(([, allTypes, names = '']) =>
      names
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '' && (allTypes !== undefined || name.startsWith('type ')))
        .map((name) => name.replace(/^type\s+/, '').replace(/^.*\sas\s+/, '')),
    )
    .sort();
}
