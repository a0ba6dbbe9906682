import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as main from 'tscontainer';
import * as testing from 'tscontainer/testing';
import { repository, sourceFiles } from './source-files.js';

test('the values that tscontainer exports', () => {
  assert.deepEqual(Object.keys(main).sort(), [
    'AttachedStreams',
    'Container',
    'ContainerProcess',
    'Engine',
    'EngineError',
    'Image',
  ]);
});

test('the values that tscontainer/testing exports', () => {
  assert.deepEqual(Object.keys(testing).sort(), [
    'MemoryContentStore',
    'MemoryKernel',
    'MemoryLauncher',
    'MemoryRegistryClient',
    'StaticCredentialSource',
    'addMemoryImage',
    'contentStoreContract',
    'contractPrograms',
    'createMemoryLayerStore',
    'createMemoryNetworkDriver',
    'kernelContract',
    'launcherContract',
    'layerStoreContract',
    'networkDriverContract',
    'openMemoryEngine',
  ]);
});

test('the types that the entry points export', () => {
  assert.deepEqual(exportedTypes('lib/index.ts'), [
    'Abortable',
    'ApplyOptions',
    'AttachOptions',
    'AttachRequest',
    'Attachment',
    'AttachmentEnd',
    'AttachmentRequest',
    'AttachmentStart',
    'AttributeOperation',
    'BindMount',
    'BlockDeviceValue',
    'BufferedOptions',
    'CgroupResources',
    'CommandResult',
    'ConfiguredMount',
    'ContainerConfig',
    'ContainerHost',
    'ContainerInspection',
    'ContainerOptions',
    'ContainerSettings',
    'ContainerState',
    'ContainerStatus',
    'Containers',
    'Credential',
    'CredentialSource',
    'Descriptor',
    'DeviceFilter',
    'Digest',
    'Endpoint',
    'EndpointAddress',
    'EngineEventListener',
    'EngineEventName',
    'EngineEvents',
    'EngineOptions',
    'EnvironmentOption',
    'ErrorCode',
    'ErrorData',
    'ErrorKind',
    'ExecOptions',
    'ExecProcessOptions',
    'ExitStatus',
    'FetchedBlob',
    'FetchedManifest',
    'FromHostOptions',
    'HostOperation',
    'HugepageLimit',
    'ImageHealthcheck',
    'ImageHost',
    'ImageRunConfig',
    'Images',
    'JoinCgroup',
    'JoinOperation',
    'LaunchPlan',
    'LaunchRequest',
    'LaunchedProcess',
    'Launcher',
    'LayerSource',
    'LayerStore',
    'ListenOperation',
    'LogFileOptions',
    'LogLine',
    'LogOptions',
    'LogTarget',
    'LogWriter',
    'MakeDirectory',
    'MountAttribute',
    'MountOperation',
    'MountOption',
    'NamespaceKind',
    'NamespaceOperation',
    'Netlink',
    'NetworkDriver',
    'NodeOperation',
    'OnPullProgress',
    'PlanOperation',
    'Platform',
    'PortMapping',
    'PrepareOptions',
    'PrivilegeOptions',
    'ProcessIdentity',
    'ProcessOperation',
    'PullOptions',
    'PullProgress',
    'Reference',
    'RegistryClient',
    'RegistryReader',
    'RemoveDirectory',
    'RemoveOptions',
    'RemoveTree',
    'RendezvousOperation',
    'ReservePort',
    'ResourceLimit',
    'ResourceOptions',
    'RootMount',
    'RootOperation',
    'RunHook',
    'RunOptions',
    'SeccompAction',
    'SeccompCondition',
    'SeccompFlag',
    'SeccompOperator',
    'SeccompProfile',
    'SeccompRule',
    'ServedOutput',
    'SetupOperation',
    'SlotMountOperation',
    'StackUsage',
    'StdioConfig',
    'StdioOptions',
    'StopOptions',
    'TerminalSize',
    'TmpfsMount',
    'Ulimit',
    'UlimitName',
    'WriteFile',
  ]);
  assert.deepEqual(exportedTypes('lib/testing.ts'), [
    'BlobInfo',
    'BlobSource',
    'CommandOptions',
    'ContentStore',
    'ContentStoreSubject',
    'ContractProgram',
    'ContractProgramName',
    'DecompressOptions',
    'IngestOptions',
    'Kernel',
    'KernelCall',
    'KernelFixture',
    'Launcher',
    'LauncherFixture',
    'LauncherUnderTest',
    'LayerStoreUnderTest',
    'MemoryEngineOptions',
    'MemoryFile',
    'MemoryImage',
    'MemoryLauncherOptions',
    'MemoryLayerStore',
    'MemoryLayerStoreOptions',
    'MemoryProcessContext',
    'MemoryProgram',
    'NetworkDriverFixture',
    'OpenedNetworkDriver',
    'OperationFailure',
    'TakenPort',
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
