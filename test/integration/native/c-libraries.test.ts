import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withDirectory } from '../../helpers/layer-fixtures.js';
import { runChecked } from '../../helpers/run-checked.js';
import { runProgram } from '../../helpers/run-program.js';

const build = fileURLToPath(new URL('../../../../native/build.mjs', import.meta.url));
const compilers = { 'glibc, by gcc': 'gcc', 'musl, by its wrapper of gcc': 'musl-gcc' } as const;

for (const [name, compiler] of Object.entries(compilers)) {
  test(`the shim is one static program with ${name}`, () =>
    withDirectory(async (directory) => {
      const program = join(directory, 'tscontainer-shim');
      const env = { ...process.env, CC: compiler };
      assert.equal(await runChecked(process.execPath, [build, '--output', program], { env }), '', 'no warning');
      assert.ok(!(await readFile(program)).includes('/ld-'), 'it asks for no dynamic linker');
      assert.equal((await runProgram(program, ['no-such-role'])).exitCode, 64);
    }));
}
