// Builds the one native artefact: native/prebuilt/linux-ARCH/tscontainer-shim, a static executable, in one compiler call.
//
//   node native/build.mjs [--if-possible]     --if-possible: no compiler is a message, not a failure
//
// musl's compiler wrapper gives the smaller program and is used when present; CC overrides the choice.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

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

/** The first compiler that exists, with the extra flags that it needs to see the kernel's headers. */
function findCompiler() {
  const candidates = process.env.CC ? [process.env.CC] : ['musl-gcc', 'cc', 'gcc', 'clang'];
  const name = candidates.find((each) => spawnSync(each, ['--version'], { stdio: 'ignore' }).status === 0);
  if (name === undefined) return undefined;
  const multiarch = spawnSync('gcc', ['-print-multiarch'], { encoding: 'utf8' }).stdout?.trim();
  const kernelHeaders = ['/usr/include', multiarch ? `/usr/include/${multiarch}` : ''].filter(
    (path) => path && existsSync(path),
  );
  return { name, extra: name.endsWith('musl-gcc') ? kernelHeaders.flatMap((path) => ['-idirafter', path]) : [] };
}

function build() {
  const compiler = findCompiler();
  if (compiler === undefined) {
    console.error('tscontainer: no C compiler found (looked for musl-gcc, cc, gcc, clang): the shim was not built');
    return process.argv.includes('--if-possible') ? 0 : 1;
  }
  const sources = readdirSync(join(here, 'src'))
    .filter((name) => name.endsWith('.c'))
    .sort();
  const target = join(here, 'prebuilt', `linux-${process.arch}`, 'tscontainer-shim');
  mkdirSync(dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}.tmp`;
  const args = [...flags, ...compiler.extra, ...sources.map((name) => join(here, 'src', name)), '-o', temporary];
  const { status } = spawnSync(compiler.name, args, { stdio: 'inherit' });
  if (status !== 0) return status ?? 1;
  renameSync(temporary, target); // running shims keep the old file
  return 0;
}

process.exitCode = build();
