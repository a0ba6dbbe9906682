import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runChecked } from '../../helpers/run-checked.js';

const native = fileURLToPath(new URL('../../../../native/', import.meta.url));
const other = process.arch === 'x64' ? 'aarch64-linux-gnu-gcc' : 'x86_64-linux-gnu-gcc';
const kernelHeaders = ['/usr/include', `/usr/include/${process.arch === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu`];

const compilers: Readonly<Record<string, readonly string[]>> = {
  gcc: [],
  [other]: [],
  'musl-gcc': kernelHeaders.filter((path) => existsSync(path)).flatMap((path) => ['-idirafter', path]),
};

for (const [compiler, flags] of Object.entries(compilers)) {
  test(`what is passed to kernel and libc as bytes has the layout that is relied on: ${compiler}`, async () => {
    for (const source of ['src/layout.c', 'test/library-layout.c']) {
      await runChecked(compiler, ['-std=gnu17', '-Werror', ...flags, '-fsyntax-only', join(native, source)]);
    }
  });
}
