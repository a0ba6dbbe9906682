// Builds the one native artefact: native/prebuilt/linux-ARCH/tscontainer-shim, a static executable, in one compiler call.
//
//   node native/build.mjs [--arch x64|arm64] [--output FILE] [--if-possible]
//
// --if-possible: no compiler is a message, not a failure.
//
// musl's compiler wrapper gives the smaller program and is used when present; CC overrides the choice. Another
// architecture than this machine's takes a cross compiler, e.g. Debian's gcc-aarch64-linux-gnu.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));

const { values: options } = parseArgs({
  options: {
    arch: { type: 'string', default: process.arch },
    output: { type: 'string' },
    'if-possible': { type: 'boolean', default: false },
  },
});

const flags = [
  '-std=gnu17',
  '-O2',
  '-g0',
  '-fno-asynchronous-unwind-tables',
  '-fstack-protector-strong',
  '-D_FORTIFY_SOURCE=2',
  '-ffunction-sections',
  '-fdata-sections',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wshadow',
  '-Wconversion',
  '-Wstrict-prototypes',
  '-Wmissing-prototypes',
  '-Wvla',
  '-Wswitch-enum',
  '-Wformat=2',
  '-static',
  '-Wl,-z,relro,-z,now',
  '-Wl,--gc-sections',
  '-Wl,--build-id=none',
  '-s',
];

const crossCompilers = { x64: ['x86_64-linux-gnu-gcc'], arm64: ['aarch64-linux-gnu-gcc'] };

/** The first compiler that exists, with the extra flags that it needs to see the kernel's headers. */
function findCompiler(candidates) {
  const name = candidates.find((each) => spawnSync(each, ['--version'], { stdio: 'ignore' }).status === 0);
  if (name === undefined) return undefined;
  if (!name.endsWith('musl-gcc')) return { name, extra: [] };
  const multiarch = spawnSync('gcc', ['-print-multiarch'], { encoding: 'utf8' }).stdout?.trim();
  const kernelHeaders = ['/usr/include', multiarch ? `/usr/include/${multiarch}` : ''].filter(
    (path) => path && existsSync(path),
  );
  return { name, extra: kernelHeaders.flatMap((path) => ['-idirafter', path]) };
}

function candidatesFor(arch) {
  if (process.env.CC) return [process.env.CC];
  return arch === process.arch ? ['musl-gcc', 'cc', 'gcc', 'clang'] : (crossCompilers[arch] ?? []);
}

function build(arch) {
  const candidates = candidatesFor(arch);
  const compiler = findCompiler(candidates);
  if (compiler === undefined) {
    const looked = candidates.length > 0 ? `looked for ${candidates.join(', ')}` : 'none is known';
    console.error(`tscontainer: no C compiler found for ${arch} (${looked}): the shim was not built`);
    return options['if-possible'] ? 0 : 1;
  }
  const sources = readdirSync(join(here, 'src'))
    .filter((name) => name.endsWith('.c'))
    .sort();
  const target = options.output ?? join(here, 'prebuilt', `linux-${arch}`, 'tscontainer-shim');
  mkdirSync(dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}.tmp`;
  const args = [...flags, ...compiler.extra, ...sources.map((name) => join(here, 'src', name)), '-o', temporary];
  const { status } = spawnSync(compiler.name, args, { stdio: 'inherit' });
  if (status !== 0) return status ?? 1;
  renameSync(temporary, target); // running shims keep the old file
  return 0;
}

process.exitCode = build(options.arch);
