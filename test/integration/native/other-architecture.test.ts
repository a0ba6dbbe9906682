import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withDirectory } from '../../helpers/layer-fixtures.js';
import { runChecked } from '../../helpers/run-checked.js';
import { runProgram } from '../../helpers/run-program.js';
import { tarCorpus } from '../../helpers/tar-corpus.js';
import { compareListings, listTree } from '../../helpers/tree-listing.js';

const native = fileURLToPath(new URL('../../../../native/', import.meta.url));

/** The architecture that this machine does not have. EM_… are of elf(5). */
const other =
  process.arch === 'x64'
    ? { arch: 'arm64', compiler: 'aarch64-linux-gnu-gcc', emulator: 'qemu-aarch64-static', elfMachine: 183 }
    : { arch: 'x64', compiler: 'x86_64-linux-gnu-gcc', emulator: 'qemu-x86_64-static', elfMachine: 62 };

const sources = async (...without: readonly string[]): Promise<string[]> => {
  const names = (await readdir(join(native, 'src'))).filter((name) => name.endsWith('.c') && !without.includes(name));
  return names.sort().map((name) => join(native, 'src', name));
};

const shim = `the shim for ${other.arch}`;

test(`${shim} is one static program of that architecture and knows its roles`, () =>
  withDirectory(async (directory) => {
    const program = join(directory, 'tscontainer-shim');
    await runChecked('node', [join(native, 'build.mjs'), '--arch', other.arch, '--output', program]);
    assert.equal((await readFile(program)).readUInt16LE(18), other.elfMachine);
    const run = await runProgram(other.emulator, [program, 'no-such-role']);
    assert.equal(run.exitCode, 64, run.stderr);
  }));

test(`${shim} takes and refuses the same plans as this machine’s`, () =>
  withDirectory(async (directory) => {
    const corpus = join(native, 'test/corpus/plan');
    const seeds = (await readdir(corpus)).sort().map((name) => join(corpus, name));
    const decode = async (compiler: string, ...emulator: readonly string[]): Promise<string> => {
      const program = join(directory, compiler);
      const files = [join(native, 'test/plan-fuzz.c'), ...(await sources('main.c', 'plan.c'))];
      await runChecked(compiler, ['-std=gnu17', '-O2', '-static', '-DPLAN_FUZZ_MAIN', ...files, '-o', program]);
      const [first = program, ...rest] = [...emulator, program];
      return runChecked(first, [...rest, '300', ...seeds]);
    };
    const ours = await decode('gcc');
    assert.match(ours, /^[1-9]\d* accepted, [1-9]\d* refused$/m);
    assert.equal(await decode(other.compiler, other.emulator), ours);
  }));

test(`${shim} unpacks every kind of archive to the same tree and the same report`, () =>
  withDirectory(async (directory) => {
    const wrap = '-Wl,--wrap=layer_confine,--wrap=tsc_openat_in_root';
    const build = async (compiler: string, name: string): Promise<string> => {
      const files = [...(await sources()), join(native, 'test/unconfined.c')];
      await runChecked(compiler, ['-std=gnu17', '-O2', '-static', wrap, ...files, '-o', join(directory, name)]);
      return join(directory, name);
    };
    const ours = await build('gcc', 'ours');
    const theirs = await build(other.compiler, 'theirs');
    for (const [name, archive] of Object.entries(tarCorpus)) {
      const mine = await unpackWith([ours], join(directory, `ours-${name}`), archive);
      const emulated = await unpackWith([other.emulator, theirs], join(directory, `theirs-${name}`), archive);
      assert.equal(emulated.report, mine.report, name);
      assert.deepEqual(compareListings(emulated.tree, mine.tree), [], name);
    }
  }));

async function unpackWith(command: readonly string[], path: string, archive: Buffer) {
  const [program = '', ...args] = command;
  const tree = join(path, 'fs');
  await mkdir(tree, { recursive: true });
  await writeFile(join(path, 'archive'), archive);
  const input = await open(join(path, 'archive'));
  const report = await open(join(path, 'report'), 'w');
  const child = spawn(program, [...args, 'unpack', tree], { stdio: [input.fd, 'ignore', 'inherit', report.fd] });
  const [code] = await once(child, 'close');
  await input.close();
  await report.close();
  assert.ok(code === 0 || code === 1, `${program} ended with ${code}`);
  const listed = (await listTree(tree)).map((each) => (each.path === '' ? { ...each, mtime: '' } : each));
  return { report: await readFile(join(path, 'report'), 'latin1'), tree: listed };
}
