// Runs crun's public Python tests against tscontainer-oci, and compares the failures with the known ones.
//
//   node test/conformance/run-crun-tests.mjs CHECKOUT [FILE …]      e.g. … /tmp/crun test_start test_mounts
//
// CHECKOUT is a checkout of crun, whose tests/ is used as it is: nothing of it is built but tests/init.c. FILE is a name
// below tests/ without .py; default: all. Needs root, python3, gcc, libseccomp-dev. The build of the package must be there
// (npm run build, npm run build:native).
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [checkout, ...chosen] = process.argv.slice(2);
if (checkout === undefined) {
  console.error('usage: node test/conformance/run-crun-tests.mjs CHECKOUT [FILE …]');
  process.exit(64);
}

const here = fileURLToPath(new URL('.', import.meta.url));
const main = fileURLToPath(new URL('../../dist/cli/oci/main.js', import.meta.url));
const known = JSON.parse(readFileSync(join(here, 'known-failures.json'), 'utf8'));
const work = mkdtempSync(join(tmpdir(), 'tsc-crun-tests-'));
const fileTimeoutMs = 10 * 60_000;

function prepare() {
  cpSync(join(checkout, 'tests'), join(work, 'tests'), { recursive: true });
  mkdirSync(join(work, 'include'));
  const config = ['HAVE_ERROR_H', 'HAVE_LINUX_IOPRIO_H', 'HAVE_SECCOMP'].map((name) => `#define ${name} 1\n`).join('');
  writeFileSync(join(work, 'include/config.h'), config);
  const init = join(work, 'init');
  const source = join(work, 'tests/init.c');
  const built = spawnSync('gcc', ['-O1', '-static', `-I${join(work, 'include')}`, source, '-o', init, '-lseccomp']);
  if (built.status !== 0) throw new Error(`tests/init.c does not compile: ${built.stderr}`);
  const runtime = join(work, 'tscontainer-oci');
  writeFileSync(runtime, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  chmodSync(runtime, 0o755);
  const hasLibmount = spawnSync('python3', ['-c', 'import libmount']).status === 0;
  const path = [join(work, 'tests'), ...(hasLibmount ? [] : [here])].join(':');
  return { ...process.env, OCI_RUNTIME: runtime, INIT: init, PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1' };
}

/** Ends processes of the suite's own helper program that a test has not waited for. */
function endLeftovers(init) {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readlinkSync(`/proc/${pid}/exe`) === init) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // not ours to look at, or gone
    }
  }
}

/** Each line of a test: `ok 1 - name`, `ok 2 - name #SKIP why`, `not ok 3 - name`. */
function runFile(name, env) {
  // Files, not pipes: one test leaves a process behind that would keep a pipe open.
  const output = join(work, `${name}.out`);
  const fd = openSync(output, 'w');
  const { error } = spawnSync('python3', [join(work, 'tests', `${name}.py`)], {
    cwd: work,
    env,
    timeout: fileTimeoutMs,
    stdio: ['ignore', fd, 'ignore'],
  });
  closeSync(fd);
  endLeftovers(env.INIT);
  if (error !== undefined) throw error;
  const stdout = readFileSync(output, 'utf8');
  return stdout.split('\n').flatMap((line) => {
    const match = /^(not ok|ok) \d+ - (.*?)(?: #SKIP| # [\d.]+s)/.exec(line);
    if (match === null) return [];
    const outcome = match[1] === 'not ok' ? 'failed' : line.includes('#SKIP') ? 'skipped' : 'passed';
    return [{ test: `${name}/${match[2]}`, outcome }];
  });
}

try {
  const env = prepare();
  const files =
    chosen.length > 0 ? chosen : readdirSync(join(work, 'tests')).filter((name) => /^test_.*\.py$/.test(name));
  const results = files
    .map((name) => name.replace(/\.py$/, ''))
    .sort()
    .flatMap((name) => {
      const found = runFile(name, env);
      const failed = found.filter(({ outcome }) => outcome === 'failed').map(({ test }) => test);
      console.log(
        `${name}: ${found.length - failed.length} of ${found.length}${failed.length > 0 ? `; ${failed.join(', ')}` : ''}`,
      );
      return found;
    });
  const count = (wanted) => results.filter(({ outcome }) => outcome === wanted).length;
  const surprises = results.filter(({ test, outcome }) => outcome === 'failed' && !Object.hasOwn(known, test));
  const healed = results.filter(({ test, outcome }) => outcome === 'passed' && Object.hasOwn(known, test));
  for (const { test } of healed) console.log(`passes, although it is listed as a failure: ${test}`);
  for (const { test } of surprises) console.log(`fails, and is not listed: ${test}`);
  console.log(`${count('passed')} passed, ${count('skipped')} skipped, ${count('failed')} failed`);
  process.exitCode = surprises.length > 0 ? 1 : 0;
} finally {
  rmSync(work, { recursive: true, force: true });
}
