import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './run-program.js';

/** Compiles `test/fixtures/NAME.c` to a static program and gives its bytes, for an image. */
export async function compileProbe(name: string): Promise<Buffer> {
  const ready = fileURLToPath(new URL(`../../../probes/${name}`, import.meta.url)); // where there is no compiler
  if (existsSync(ready)) return readFile(ready);
  const source = fileURLToPath(new URL(`../../../test/fixtures/${name}.c`, import.meta.url));
  const directory = await mkdtemp(join(tmpdir(), 'tsc-probe-'));
  try {
    const program = join(directory, name);
    const built = await runProgram('cc', ['-O1', '-Wall', '-Wextra', '-Werror', '-static', source, '-o', program]);
    assert.equal(built.exitCode, 0, built.stderr);
    return await readFile(program);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
