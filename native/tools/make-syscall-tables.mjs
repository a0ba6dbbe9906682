// Writes lib/runtime/seccomp/syscalls/*.ts from the kernel's user-space headers.
//
//   apt-get install linux-libc-dev linux-libc-dev-i386-cross linux-libc-dev-arm64-cross linux-libc-dev-armhf-cross gcc
//   node native/tools/make-syscall-tables.mjs
//
// The tables hold the union of the headers and of `newer`: numbers that kernels have got since, which are the same on
// every architecture from 424 on (scripts/syscall.tbl of the kernel), or listed for one architecture.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const target = fileURLToPath(new URL('../../lib/runtime/seccomp/syscalls/', import.meta.url));
const x32Bit = 0x40000000;

const architectures = [
  {
    file: 'x86-64',
    name: 'x86_64',
    header: 'asm/unistd_64.h',
    include: '/usr/include/x86_64-linux-gnu',
    extra: { uretprobe: 335, uprobe: 336 },
  },
  { file: 'x86', name: 'x86', header: 'asm/unistd_32.h', include: '/usr/i686-linux-gnu/include' },
  {
    file: 'x32',
    name: 'x32',
    header: 'asm/unistd_x32.h',
    include: '/usr/include/x86_64-linux-gnu',
    flags: [`-D__X32_SYSCALL_BIT=${x32Bit}`],
    base: x32Bit,
  },
  { file: 'aarch64', name: 'aarch64', header: 'asm/unistd.h', include: '/usr/aarch64-linux-gnu/include' },
  {
    file: 'arm',
    name: 'arm',
    header: 'asm/unistd.h',
    include: '/usr/arm-linux-gnueabihf/include',
    flags: ['-D__ARM_EABI__'],
  },
];

const newer = {
  cachestat: 451,
  fchmodat2: 452,
  map_shadow_stack: 453,
  futex_wake: 454,
  futex_wait: 455,
  futex_requeue: 456,
  statmount: 457,
  listmount: 458,
  lsm_get_self_attr: 459,
  lsm_set_self_attr: 460,
  lsm_list_modules: 461,
  mseal: 462,
  setxattrat: 463,
  getxattrat: 464,
  listxattrat: 465,
  removexattrat: 466,
  open_tree_attr: 467,
  file_getattr: 468,
  file_setattr: 469,
};

function preprocess(architecture, args, input) {
  const flags = ['-E', '-nostdinc', '-I', architecture.include, '-I', '/usr/include', ...(architecture.flags ?? [])];
  const { status, stdout, stderr } = spawnSync('gcc', [...flags, ...args, '-'], { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${architecture.name}: ${stderr}`);
  return stdout;
}

/** Header numbers are sums of decimal and hexadecimal constants in parentheses. */
function evaluate(expression) {
  const terms = expression
    .replace(/[()\s]/g, '')
    .split('+')
    .map(Number);
  if (terms.some((term) => !Number.isInteger(term))) throw new Error(`not a number: ${expression}`);
  return terms.reduce((sum, term) => sum + term, 0);
}

function numbersOf(architecture) {
  const include = `#include <${architecture.header}>\n`;
  const macros = [...preprocess(architecture, ['-dM'], include).matchAll(/^#define __(NR|ARM_NR)_([a-z_]\w*) /gm)];
  const lines = macros.map(([, kind, name]) => `@@ ${name} __${kind}_${name}`).join('\n');
  const numbers = new Map(
    Object.entries({ ...newer, ...architecture.extra }).map(([name, number]) => {
      return [name, number + (architecture.base ?? 0)];
    }),
  );
  for (const [, name, expression] of preprocess(architecture, ['-P'], include + lines).matchAll(/^@@ (\w+) (.+)$/gm)) {
    if (!/^(?:syscalls|BASE)$/.test(name) && !/^__(?:ARM_)?NR_\w+$/.test(expression.trim())) {
      numbers.set(name, evaluate(expression));
    }
  }
  return [...numbers].sort((a, b) => a[1] - b[1]);
}

/** Names in the order of their numbers; `=N` before a name that does not follow its predecessor. */
function encode(entries) {
  let next = 0;
  const words = [];
  for (const [name, number] of entries) {
    if (number !== next) words.push(`=${number}`);
    words.push(name);
    next = number + 1;
  }
  const rows = [''];
  for (const word of words) {
    if (rows.at(-1).length + word.length > 116) rows.push('');
    rows[rows.length - 1] += rows.at(-1) === '' ? word : ` ${word}`;
  }
  return rows.join('\n');
}

for (const architecture of architectures) {
  const entries = numbersOf(architecture);
  writeFileSync(
    `${target}${architecture.file}.ts`,
    `// Made by native/tools/make-syscall-tables.mjs; not edited by hand. Form: see ../syscall-table.ts.
export const ${architecture.name} = \`
${encode(entries)}
\`;
`,
  );
  console.log(`${architecture.name}: ${entries.length} system calls, ${entries[0]} to ${entries.at(-1)}`);
}
