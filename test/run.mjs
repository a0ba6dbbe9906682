// Runs test suites on Node's test runner and ends with one line: "N passed, N failed, N skipped".
//
//   node test/run.mjs [SUITE | FILE …]     default: every suite, in the order below
//
// Suites that need root run one file at a time, because they compare the machine before and after. With CI=true a
// skipped test is a failure.
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = join(root, 'build', 'test');

const suites = {
  architecture: { parallel: true },
  unit: { parallel: true },
  contract: { parallel: false },
  integration: { parallel: false },
  security: { parallel: false },
  e2e: { parallel: false },
};

const counts = { pass: 0, fail: 0, skip: 0 };

function testFiles(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => join(directory, name));
}

/** Tests only: the runner also reports suites and, for each file, the file itself. */
const isTest = (data) => data.details?.type !== 'suite' && !data.name.endsWith('.test.js');

async function runFiles(files, concurrency) {
  if (files.length === 0) return;
  const stream = run({ files, concurrency, timeout: 600_000 });
  stream.on('test:pass', (data) => {
    if (!isTest(data)) return;
    if (data.skip !== undefined || data.todo !== undefined) counts.skip += 1;
    else counts.pass += 1;
  });
  stream.on('test:fail', (data) => {
    // A file that dies outside of its tests is reported as a failure with the file's own name.
    if (data.details?.type !== 'suite') counts.fail += 1;
  });
  const report = stream.compose(new spec());
  for await (const chunk of report) process.stdout.write(chunk);
}

const wanted = process.argv.slice(2);
if (wanted.length === 0) wanted.push(...Object.keys(suites));
for (const each of wanted) {
  const suite = suites[each];
  if (suite !== undefined) {
    console.log(`\n=== ${each}`);
    await runFiles(testFiles(join(compiled, each)), suite.parallel ? 2 : 1);
  } else {
    const file = join(root, 'build', relative(root, each)).replace(/\.ts$/, '.js');
    if (!existsSync(file)) {
      console.error(`no suite and no compiled test file: ${each}`);
      counts.fail += 1;
    } else await runFiles([file], 1);
  }
}

if (counts.pass + counts.fail === 0) {
  console.error('no test was run');
  counts.fail += 1;
}
if (process.env.CI === 'true' && counts.skip > 0) console.error('a skipped test counts as a failure in CI');
process.exitCode = counts.fail > 0 || (process.env.CI === 'true' && counts.skip > 0) ? 1 : 0;
console.log(`\n${counts.pass} passed, ${counts.fail} failed, ${counts.skip} skipped`);
