import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as main from 'tscontainer';
import * as testing from 'tscontainer/testing';
import { repository, sourceFiles } from './source-files.js';

test('the values that tscontainer exports', () => {
  assert.deepEqual(Object.keys(main).sort(), ['Container', 'ContainerProcess', 'Engine', 'EngineError', 'Image']);
});

test('the values that tscontainer/testing exports', () => {
  assert.deepEqual(Object.keys(testing).sort(), []);
});

test('the types that the entry points export', () => {
  assert.deepEqual(exportedTypes('lib/index.ts'), [
    'Abortable',
    'BindMount',
    'BufferedOptions',
    'CommandResult',
    'ContainerInspection',
    'ContainerOptions',
    'ContainerSettings',
    'ContainerStatus',
    'Containers',
    'Credential',
    'CredentialSource',
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
    'FromHostOptions',
    'ImageRunConfig',
    'Images',
    'Launcher',
    'LayerStore',
    'LogLine',
    'LogOptions',
    'MountOption',
    'NetworkDriver',
    'OnPullProgress',
    'Platform',
    'PortMapping',
    'PrivilegeOptions',
    'PullOptions',
    'PullProgress',
    'RegistryClient',
    'RemoveOptions',
    'ResourceOptions',
    'RunOptions',
    'SeccompProfile',
    'StopOptions',
    'TerminalSize',
    'TmpfsMount',
    'Ulimit',
    'UlimitName',
  ]);
  assert.deepEqual(exportedTypes('lib/testing.ts'), []);
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
