import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type koffiModule from 'koffi';
import { architectureFacts, type SeccompArchitecture, x32Bit } from '#lib/runtime/seccomp/architecture.js';
import { syscallTable } from '#lib/runtime/seccomp/syscall-table.js';
import { runChecked } from '../../helpers/run-checked.js';

/** What libseccomp calls the architectures. @see seccomp_arch_add(3) */
const tokens: Readonly<Record<SeccompArchitecture, number>> = {
  x86_64: 0xc000_003e,
  x86: 0x4000_0003,
  x32: 0x4000_003e,
  aarch64: 0xc000_00b7,
  arm: 0x4000_0028,
};
const architectures = Object.keys(architectureFacts) as SeccompArchitecture[];

for (const architecture of architectures) {
  test(`the system calls of ${architecture} have the numbers that libseccomp knows`, () => {
    const koffi = createRequire(import.meta.url)('koffi') as typeof koffiModule;
    const resolve = koffi
      .load('libseccomp.so.2')
      .func('int seccomp_syscall_resolve_name_arch(uint32_t arch, const char *name)');
    const { numbers } = syscallTable(architecture);
    let known = 0;
    for (const [name, number] of numbers) {
      // libseccomp gives socket calls and the like of x86 by their old, negative pseudo-numbers where both exist.
      const theirs = resolve(tokens[architecture], name) as number;
      if (theirs < 0) continue;
      assert.equal(number, theirs, name);
      known += 1;
    }
    assert.ok(known > 300, `${known} of ${numbers.size} are known to it`);
  });
}

/** Headers that a compiler brings. The numbers of ARM and of aarch64 are sums and need a preprocessor. */
const headers: Readonly<Partial<Record<SeccompArchitecture, string>>> = {
  x86_64: '/usr/include/x86_64-linux-gnu/asm/unistd_64.h',
  x86: '/usr/include/x86_64-linux-gnu/asm/unistd_32.h',
  x32: '/usr/include/x86_64-linux-gnu/asm/unistd_x32.h',
};

for (const [architecture, header] of Object.entries(headers) as [SeccompArchitecture, string][]) {
  if (!existsSync(header)) continue; // a machine of another architecture has its own
  test(`and those of the kernel's header for ${architecture}`, () => {
    const { numbers } = syscallTable(architecture);
    const text = readFileSync(header, 'utf8');
    const defined = [...text.matchAll(/^#define __NR_(\w+) (?:\(__X32_SYSCALL_BIT \+ (\d+)\)|(\d+))$/gm)];
    assert.ok(defined.length > 300);
    for (const [, name = '', ofX32, number] of defined) {
      assert.equal(numbers.get(name), ofX32 === undefined ? Number(number) : x32Bit + Number(ofX32), name);
    }
  });
}

test('and those of the kernel’s header for aarch64', async () => {
  const compiler = process.arch === 'arm64' ? 'gcc' : 'aarch64-linux-gnu-gcc';
  const names = [...syscallTable('aarch64').numbers.keys()];
  const include = '#include <asm/unistd.h>\n';
  const input = include + names.map((name) => `#ifdef __NR_${name}\n@@ ${name} __NR_${name}\n#endif`).join('\n');
  const text = await runChecked(compiler, ['-E', '-P', '-'], { input });
  const defined = [...text.matchAll(/^@@ (\w+) (\d+)$/gm)];
  assert.ok(defined.length > 280, `${defined.length}`);
  for (const [, name = '', number] of defined) {
    assert.equal(syscallTable('aarch64').numbers.get(name), Number(number), name);
  }
});
