import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  adapterUsers,
  environmentReaders,
  exceptions,
  type Layer,
  layers,
  packageHomes,
  policyFolders,
  ports,
} from './layers.js';
import {
  importsOf,
  linesMatching,
  repository,
  type SourceFile,
  type SourceImport,
  sourceFiles,
} from './source-files.js';

const files = sourceFiles('lib');

test('every file of lib belongs to a layer', () => {
  assert.deepEqual(
    files.filter((file) => layerOf(file.path) === undefined).map((file) => file.path),
    [],
  );
});

test('imports point inward, and siblings see only each other’s ports', () => {
  const wrong = relativeImports().filter(({ file, to }) => !isAllowed(file.path, to.target));
  assert.deepEqual(
    wrong.map(({ to }) => to.where),
    [],
  );
});

test('the check notices an import in the wrong direction, and one of a sibling’s inside', () => {
  assert.equal(isAllowed('lib/core/digest.ts', 'lib/util/abort.ts'), false);
  assert.equal(isAllowed('lib/layers/overlay/overlay.ts', 'lib/content/fs/blob.ts'), false);
  assert.equal(isAllowed('lib/layers/overlay/overlay.ts', 'lib/content/content-store.ts'), true);
  assert.equal(isAllowed('lib/container/start.ts', 'lib/runtime/shim/launch.ts'), false);
  assert.equal(isAllowed('lib/container/start.ts', 'lib/image/pull-image.ts'), true);
  assert.equal(isAllowed('lib/image/pull-image.ts', 'lib/container/start.ts'), false);
  assert.equal(isAllowed('lib/container/start.ts', 'lib/runtime/build-launch-plan.ts'), true);
  assert.equal(isAllowed('lib/engine/default-services.ts', 'lib/runtime/shim/launch.ts'), true);
  assert.equal(isAllowed('lib/engine/engine.ts', 'lib/runtime/shim/launch.ts'), false);
});

test('every import leads to a file', () => {
  const known = new Set(files.map((file) => file.path));
  assert.deepEqual(
    relativeImports()
      .filter(({ to }) => !known.has(to.target))
      .map(({ to }) => to.where),
    [],
  );
});

test('no import leads back to where it came from', () => {
  assert.deepEqual(cycles(), []);
});

test('a package with a home is imported only there', () => {
  const wrong = packageImports().filter(({ file, to }) => {
    const homes = packageHomes[packageName(to.target)];
    return homes !== undefined && !homes.some((home) => file.path.startsWith(home));
  });
  assert.deepEqual(
    wrong.map(({ to }) => to.where),
    [],
  );
});

test('Node’s own modules are imported with their node: prefix and every other package is a declared dependency', () => {
  const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const declared = new Set([...Object.keys(manifest.dependencies), manifest.name]);
  const wrong = packageImports().filter(
    ({ to }) => !to.target.startsWith('node:') && !declared.has(packageName(to.target)),
  );
  assert.deepEqual(
    wrong.map(({ to }) => to.where),
    [],
  );
});

test('the environment is read only where the engine is put together', () => {
  const wrong = files
    .filter((file) => !environmentReaders.some((folder) => file.path.startsWith(folder)))
    .flatMap((file) =>
      linesMatching(file, /\bprocess\s*\??\.\s*env\b|\bprocess\s*\[|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/),
    );
  assert.deepEqual(wrong, []);
});

const relativeImports = () =>
  files.flatMap((file) =>
    importsOf(file)
      .filter((to) => !to.isPackage)
      .map((to) => ({ file, to })),
  );

const packageImports = () =>
  files.flatMap((file) =>
    importsOf(file)
      .filter((to) => to.isPackage)
      .map((to) => ({ file, to })),
  );

const packageName = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** The layer and, in it, the member (folder or file) that a path belongs to: the longest prefix wins. */
function placeOf(path: string): { readonly layer: Layer; readonly member: string } | undefined {
  return layers
    .flatMap((layer) => layer.members.map((member) => ({ layer, member })))
    .filter(({ member }) => (member.endsWith('/') ? path.startsWith(member) : path === member))
    .sort((a, b) => b.member.length - a.member.length)[0];
}

const layerOf = (path: string): Layer | undefined => placeOf(path)?.layer;

function isAllowed(from: string, to: string): boolean {
  const source = placeOf(from);
  const target = placeOf(to);
  if (source === undefined || target === undefined) return false;
  if (exceptions.some((each) => from.startsWith(each.from) && to.startsWith(each.to))) return true;
  if (isAdapter(to) && source.member !== target.member) return adapterUsers.some((user) => from.startsWith(user));
  if (source.layer === target.layer) {
    return source.layer.siblings === undefined || source.member === target.member || ports.includes(to);
  }
  const { mayImport } = source.layer;
  return (
    mayImport.includes('*') || mayImport.includes(target.layer.name) || (mayImport.includes('policy') && isPolicy(to))
  );
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** A port, or a pure function beside one. */
const isPolicy = (path: string): boolean => policyFolders.includes(folderOf(path));

/** A file in a subfolder of a mechanism's folder: one technology that fulfils the port. */
const isAdapter = (path: string): boolean =>
  ['mechanism', 'kernel'].includes(layerOf(path)?.name ?? '') && !isPolicy(path) && folderOf(path) !== 'lib/volume/';

/** Every cycle once, as `a → b → a`. */
function cycles(): string[] {
  const graph = new Map<string, readonly SourceImport[]>(files.map((file: SourceFile) => [file.path, importsOf(file)]));
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      found.push([...trail.slice(start), path].join(' → '));
      return;
    }
    if (done.has(path)) return;
    for (const each of graph.get(path) ?? []) if (!each.isPackage) visit(each.target, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}
