// Runs test suites on Node's test runner and ends with one line: "N passed, N failed, N skipped".
//
//   node test/run.mjs [--timeout MS] [--no-leak-check] [--build DIR] [SUITE | FILE …]     default: every suite, in order
//
// DIR holds the compiled tests (default: build). A file gets MS milliseconds (default: 5 minutes) before it is killed.
//
// Suites that use the kernel run one file at a time, and the machine is compared before and after each file: what a file
// leaves behind (a mount, a process, an interface, a temporary file …) is a failure of its own. With CI=true a skipped
// test is a failure, and so is a suite that cannot run.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { compose } from 'node:stream';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const inCi = process.env.CI === 'true';
const isRoot = process.geteuid?.() === 0;

const suites = {
  architecture: { parallel: true, needsRoot: false },
  unit: { parallel: true, needsRoot: false },
  contract: { parallel: false, needsRoot: false },
  integration: { parallel: false, needsRoot: true },
  security: { parallel: false, needsRoot: true },
  e2e: { parallel: false, needsRoot: true },
  vm: { parallel: false, needsRoot: false },
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    build: { type: 'string', default: join(root, 'build') },
    timeout: { type: 'string', default: '300000' },
    'no-leak-check': { type: 'boolean', default: false },
  },
});

const compiled = join(options.build, 'test');
const counts = { pass: 0, fail: 0, skip: 0 };
const killed = new Set();

function fail(message) {
  counts.fail += 1;
  console.error(`✖ ${message}`);
}

function testFiles(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => join(directory, name));
}

/**
 * Counts what the runner reports. A file reports itself, by its own path, when it has no test or when it ends badly
 * outside of its tests; a suite counts only for what its tests do not say: skipped as a whole, or a failing hook.
 */
function count(stream, files) {
  const silent = new Set(files);
  // The tests of a contract suite are reported with the file of the suite, not with the one that called it.
  const isHeard = (data) => silent.delete(files.length === 1 ? files[0] : data.file);
  stream.on('test:pass', (data) => {
    if (data.name === data.file) return;
    isHeard(data);
    if (data.skip !== undefined || data.todo !== undefined) counts.skip += 1;
    else if (data.details?.type !== 'suite') counts.pass += 1;
  });
  stream.on('test:fail', (data) => {
    isHeard(data);
    if (data.todo !== undefined) counts.skip += 1;
    else if (data.name === data.file && killed.has(data.file))
      return; // counted when it was killed
    else if (data.details?.type !== 'suite' || data.details.error?.failureType !== 'subtestsFailed') counts.fail += 1;
  });
  return silent;
}

const summary = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;

/** The runner's summary of one file would drown its tests: the totals come at the end of all. */
async function* withoutSummary(events) {
  for await (const event of events) {
    if (event.type !== 'test:diagnostic' || !summary.test(event.data.message)) yield event;
  }
}

/** Kills the process that runs `file`. The runner's own time limit does not reach one that is busy in every version. */
function killTestProcess(file) {
  for (const task of readdirSync('/proc/self/task')) {
    for (const pid of readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean)) {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(file)) process.kill(Number(pid), 'SIGKILL');
    }
  }
}

function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

async function runFile(file, write) {
  const name = relative(compiled, file);
  const stream = run({ files: [file] });
  const silent = count(stream, [file]);
  const report = compose(stream, withoutSummary, new spec())[Symbol.asyncIterator]();
  const timeLimit = deferred();
  let grace;
  const timer = setTimeout(() => {
    killed.add(file);
    fail(`${name} was killed after ${options.timeout} ms`);
    killTestProcess(file);
    // Its output ends with it, unless a process that it left behind holds it open.
    grace = setTimeout(() => timeLimit.resolve({ done: true }), 1_000);
  }, Number(options.timeout));
  for (;;) {
    const { done, value } = await Promise.race([report.next(), timeLimit.promise]);
    if (done) break;
    write(value);
  }
  clearTimeout(timer);
  clearTimeout(grace);
  if (silent.size > 0 && !killed.has(file)) fail(`${name} has no test`);
}

async function runInParallel(files, workers) {
  const waiting = [...files];
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const chunks = [];
      await runFile(file, (chunk) => chunks.push(chunk));
      process.stdout.write(chunks.join(''));
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
}

/** Runs with a temporary directory of its own, which must be empty again at the end. */
async function inOwnTemporaryDirectory(name, action) {
  const outer = tmpdir();
  const cache = join(outer, `tscontainer-test-cache-${process.getuid?.() ?? 0}`);
  const own = mkdtempSync(join(outer, 'tsct-'));
  process.env.TMPDIR = own;
  process.env.TSCONTAINER_TEST_CACHE ??= cache;
  try {
    await action();
    const left = readdirSync(own).filter((entry) => !entry.startsWith('node-compile-cache'));
    if (left.length > 0) fail(`${name} left files in the temporary directory: ${left.slice(0, 20).join(', ')}`);
  } finally {
    process.env.TMPDIR = outer;
    try {
      rmSync(own, { recursive: true, force: true });
    } catch (error) {
      fail(`${name} left what cannot be removed: ${error.message}`);
    }
  }
}

async function withLeakCheck(name, action) {
  const { footprint, waitForSameFootprint } = await import(
    pathToFileURL(join(root, 'build/test/helpers/footprint.js'))
  );
  const before = await footprint();
  await action();
  const differences = await waitForSameFootprint(before);
  if (differences.length > 0) fail(`${name} left the machine changed:\n    ${differences.join('\n    ')}`);
}

async function runSerially(files) {
  for (const file of files) {
    const name = relative(compiled, file);
    const action = () => inOwnTemporaryDirectory(name, () => runFile(file, (chunk) => process.stdout.write(chunk)));
    if (options['no-leak-check']) await action();
    else await withLeakCheck(name, action);
  }
}

async function runSuite(name, { parallel, needsRoot }) {
  const files = testFiles(join(compiled, name));
  if (files.length === 0) return;
  console.log(`\n=== ${name}`);
  if (needsRoot && !isRoot) {
    if (inCi) fail(`${name} was not run: it needs root`);
    else console.log('not run: needs root');
  } else if (parallel) await inOwnTemporaryDirectory(name, () => runInParallel(files, 2));
  else await runSerially(files);
}

async function runNamed(path) {
  const file = join(options.build, relative(root, path)).replace(/\.ts$/, '.js');
  const known = existsSync(file) && basename(file).endsWith('.test.js');
  if (!known) fail(`no suite and no compiled test file: ${path}`);
  else if (suites[relative(compiled, file).split('/')[0]]?.parallel) {
    await inOwnTemporaryDirectory(path, () => runFile(file, (chunk) => process.stdout.write(chunk)));
  } else await runSerially([file]);
}

mkdirSync(tmpdir(), { recursive: true });
for (const each of positionals.length > 0 ? positionals : Object.keys(suites)) {
  if (Object.hasOwn(suites, each)) await runSuite(each, suites[each]);
  else await runNamed(each);
}

if (counts.pass + counts.fail === 0) fail('no test was run');
const bad = counts.fail > 0 || (inCi && counts.skip > 0);
if (inCi && counts.skip > 0) console.error('a skipped test counts as a failure in CI');
console.log(`\n${counts.pass} passed, ${counts.fail} failed, ${counts.skip} skipped`);
// A process that a test left behind may hold pipes of this one open: waiting for them could take for ever.
process.exit(bad ? 1 : 0);
