import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const runner = fileURLToPath(new URL('../../../../test/run.mjs', import.meta.url));
const head = "import { after, before, describe, it, test } from 'node:test';\n";

test('the last line counts passed, failed and skipped tests, and nothing twice', (t) => {
  const { lastLine, status } = runSuite(t, {
    'mixed.test.js': `
      test('passes', () => {});
      test('fails', () => { throw new Error('no'); });
      test.skip('skipped', () => {});
      test('skips itself', (t) => t.skip('reason'));
      test.todo('todo');
      test('failing todo', { todo: true }, () => { throw new Error('no'); });
      describe('suite', () => {
        it('passes', () => {});
        describe('inner', () => {
          it('fails', () => { throw new Error('no'); });
          it.skip('skipped', () => {});
        });
      });`,
  });
  assert.equal(lastLine, '2 passed, 2 failed, 5 skipped');
  assert.equal(status, 1);
});

test('a run in which every test passes exits with 0', (t) => {
  const { lastLine, status } = runSuite(t, {
    'a.test.js': "test('one', () => {});",
    'deep/b.test.js': "test('parent', async (t) => { await t.test('child', () => {}); });",
  });
  assert.equal(lastLine, '3 passed, 0 failed, 0 skipped');
  assert.equal(status, 0);
});

test('a skipped test, and a suite skipped as a whole, is a failure in CI only', (t) => {
  const files = { 'a.test.js': "test('one', () => {}); describe.skip('suite', () => { it('two', () => {}); });" };
  assert.deepEqual(pick(runSuite(t, files)), { lastLine: '1 passed, 0 failed, 1 skipped', status: 0 });
  assert.deepEqual(pick(runSuite(t, files, { env: { CI: 'true' } })), {
    lastLine: '1 passed, 0 failed, 1 skipped',
    status: 1,
  });
});

test('a file that fails outside of its tests counts as one failure', (t) => {
  for (const [source, expected] of [
    ["throw new Error('at load');", '0 passed, 1 failed, 0 skipped'],
    [
      "test('one', () => {}); test('two', async () => { setTimeout(() => process.exit(3), 20); await new Promise((r) => setTimeout(r, 5000)); });",
      '1 passed, 1 failed, 0 skipped',
    ],
    ["test('one', () => { setTimeout(() => { throw new Error('late'); }, 1); });", '1 passed, 1 failed, 0 skipped'],
    [
      "describe('s', () => { after(() => { throw new Error('no'); }); it('one', () => {}); });",
      '1 passed, 1 failed, 0 skipped',
    ],
  ] as const) {
    const { lastLine, status } = runSuite(t, { 'a.test.js': source });
    assert.deepEqual({ lastLine, status }, { lastLine: expected, status: 1 }, source);
  }
});

test('a file without a test is a failure, and so is a run without a file', (t) => {
  assert.equal(
    runSuite(t, { 'a.test.js': '', 'b.test.js': "test('b', () => {});" }).lastLine,
    '1 passed, 1 failed, 0 skipped',
  );
  assert.deepEqual(pick(runSuite(t, {})), { lastLine: '0 passed, 1 failed, 0 skipped', status: 1 });
});

test('a file that never ends is killed after its time and the files after it are run', (t) => {
  const { lastLine, output } = runSuite(
    t,
    {
      'a.test.js':
        "process.on('SIGTERM', () => {}); console.log('# pid=' + process.pid + '.'); test('loops', () => { for (;;); });",
      'b.test.js': "test('one', () => {});",
    },
    { args: ['--timeout', '1500'] },
  );
  assert.equal(lastLine, '1 passed, 1 failed, 0 skipped', output);
  const pid = Number(/pid=(\d+)\./.exec(output)?.[1]);
  assert.ok(!isRunning(pid));
});

test('a process that a test leaves behind does not keep the run from ending', (t) => {
  const { lastLine, output } = runSuite(
    t,
    {
      'a.test.js': `
        import { spawn } from 'node:child_process';
        test('leaves a process', () => {
          const child = spawn('sleep', ['60'], { stdio: 'inherit', detached: true });
          console.log('# pid=' + child.pid + '.');
          child.unref();
        });`,
    },
    { args: ['--timeout', '1500'] },
  );
  process.kill(Number(/pid=(\d+)\./.exec(output)?.[1]), 'SIGKILL');
  assert.equal(lastLine, '1 passed, 1 failed, 0 skipped');
});

test('what a test leaves in the temporary directory is a failure', (t) => {
  const { lastLine, output } = runSuite(t, {
    'a.test.js': `
      import { writeFileSync } from 'node:fs';
      import { tmpdir } from 'node:os';
      test('one', () => { writeFileSync(tmpdir() + '/forgotten', ''); });`,
  });
  assert.equal(lastLine, '1 passed, 1 failed, 0 skipped');
  assert.match(output, /left files in the temporary directory: forgotten/);
});

interface Result {
  readonly lastLine: string;
  readonly status: number | null;
  readonly output: string;
}

/** A killed process may still wait to be reaped by whoever became its parent. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const pick = ({ lastLine, status }: Result) => ({ lastLine, status });

function runSuite(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: { args?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Result {
  const build = mkdtempSync(join(tmpdir(), 'run-'));
  t.after(() => rmSync(build, { recursive: true, force: true }));
  writeFileSync(join(build, 'package.json'), '{ "type": "module" }');
  for (const [name, source] of Object.entries(files)) {
    const path = join(build, 'test', 'unit', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, head + source);
  }
  // A test process tells its children to report to it in its own format: this run is to be a run of its own.
  const { NODE_TEST_CONTEXT: _, CI: __, ...env } = process.env;
  const args = [runner, '--build', build, ...(options.args ?? []), 'unit'];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...env, ...options.env },
    timeout: 30_000,
  });
  return { lastLine: stdout.trimEnd().split('\n').at(-1) ?? '', status, output: stdout + stderr };
}
