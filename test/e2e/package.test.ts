import assert from 'node:assert/strict';
import { cp, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runChecked } from '../helpers/run-checked.js';
import { type Workspace, workspace } from '../helpers/workspace.js';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** What a project that depends on the package needs of the machine: no compiler among it. */
const programs = ['node', 'npm', 'sh', 'env', 'ldd', 'ls', 'uname', 'dirname', 'basename', 'sed'];

let place: Workspace;
let project: string;
let packed: readonly string[];
let path: string;

before(async () => {
  place = await workspace();
  const copy = await copyOfRepository();
  const output = await runChecked('npm', ['pack', '--json', '--pack-destination', place.path], {
    cwd: copy,
    env: npmEnv(),
  });
  const [report] = JSON.parse(output.slice(output.indexOf('[\n'))) as [{ filename: string; files: { path: string }[] }];
  packed = report.files.map((file) => file.path);
  path = await directoryOf(programs);
  project = await place.directory('project');
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  await runChecked(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', join(place.path, report.filename)],
    {
      cwd: project,
      env: { ...npmEnv(), PATH: path },
    },
  );
});

after(async () => place[Symbol.asyncDispose]());

test('the package holds the built library, the shim for both architectures and its licence, and no test or source of the library', () => {
  for (const expected of [
    'LICENSE',
    'README.md',
    'package.json',
    'dist/index.js',
    'dist/index.d.ts',
    'native/prebuilt/linux-x64/tscontainer-shim',
    'native/prebuilt/linux-arm64/tscontainer-shim',
  ]) {
    assert.ok(packed.includes(expected), `${expected} in ${packed.join(' ')}`);
  }
  const superfluous = packed.filter((file) =>
    /^(lib|test|build|docs|examples|\.ci)\/|\.tsbuildinfo$|\.test\.js$/.test(file),
  );
  assert.deepEqual(superfluous, []);
});

test('the package asks npm to run no script when it is installed', async () => {
  const manifest = JSON.parse(await readFile(join(project, 'node_modules/tscontainer/package.json'), 'utf8'));
  const hooks = Object.keys(manifest.scripts ?? {}).filter((name) => /^(pre|post)?install$/.test(name));
  assert.deepEqual(hooks, []);
});

test('the shim in the package is an executable that needs no dynamic linker', async () => {
  const shim = join(project, 'node_modules/tscontainer/native/prebuilt', `linux-${process.arch}`, 'tscontainer-shim');
  assert.equal((await stat(shim)).mode & 0o111, 0o111);
  assert.ok(!programHeaderTypes(await readFile(shim)).includes(interpreterHeader));
});

test('the types resolve in a strict project', async () => {
  await writeFile(
    join(project, 'consumer.ts'),
    [
      "import { EngineError, type ErrorCode } from 'tscontainer';",
      "import 'tscontainer/testing';",
      'export const codeOf = (error: unknown): ErrorCode | undefined => (EngineError.is(error) ? error.code : undefined);',
    ].join('\n'),
  );
  await writeFile(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        module: 'nodenext',
        target: 'es2022',
        lib: ['es2023', 'esnext.disposable'],
        types: ['node'],
        typeRoots: [join(repository, 'node_modules/@types')],
        noEmit: true,
        skipLibCheck: false,
      },
      files: ['consumer.ts'],
    }),
  );
  await runChecked(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), '-p', project]);
});

test('a program in the project runs a container from programs of the host', async () => {
  await writeFile(
    join(project, 'main.js'),
    `import { Engine } from 'tscontainer';
const [root, runRoot] = process.argv.slice(2);
await using(await Engine.open({ root, runRoot }), async (engine) => {
  const image = await engine.images.fromHost({ binaries: ['sh', 'ls'], tag: 'host:latest' });
  const { exitCode, stdout } = await engine.run('host:latest', ['sh', '-c', 'echo pid $$'], { network: 'none' });
  console.log(JSON.stringify({ exitCode, stdout: stdout.toString() }));
});
async function using(resource, action) {
  try { await action(resource); } finally { await resource.close(); }
}
`,
  );
  const output = await runChecked(process.execPath, [join(project, 'main.js'), place.engineRoot, place.engineRunRoot], {
    cwd: project,
    env: { PATH: path },
  });
  assert.deepEqual(JSON.parse(output), { exitCode: 0, stdout: 'pid 1\n' });
});

/** The checkout without what is built, so that packing shows what a release would hold. */
async function copyOfRepository(): Promise<string> {
  const copy = join(place.path, 'checkout');
  const tracked = await runChecked('git', [
    '-C',
    repository,
    'ls-files',
    '--cached',
    '--others',
    '--exclude-standard',
    '-z',
  ]);
  for (const file of tracked.split('\0').filter(Boolean)) {
    await mkdir(dirname(join(copy, file)), { recursive: true });
    await cp(join(repository, file), join(copy, file), { verbatimSymlinks: true });
  }
  await symlink(join(repository, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

const interpreterHeader = 3;

/** The `p_type` of each program header of a 64-bit little-endian file. @see elf(5) */
function programHeaderTypes(elf: Buffer): number[] {
  assert.deepEqual([...elf.subarray(0, 6)], [0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  const offset = Number(elf.readBigUInt64LE(32));
  const size = elf.readUInt16LE(54);
  return Array.from({ length: elf.readUInt16LE(56) }, (_, index) => elf.readUInt32LE(offset + index * size));
}

/** A directory with links to just these programs. */
async function directoryOf(names: readonly string[]): Promise<string> {
  const directory = await place.directory('bin');
  for (const name of names) {
    const target = name === 'node' ? process.execPath : (await runChecked('sh', ['-c', `command -v ${name}`])).trim();
    await symlink(target, join(directory, name));
  }
  return directory;
}

/** The runner of this test is npm too, and tells its children so. */
function npmEnv(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_') && name !== 'NODE_TEST_CONTEXT');
  return { ...Object.fromEntries(own), npm_config_update_notifier: 'false' };
}
