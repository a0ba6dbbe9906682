import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ContainerFiles, containerFiles, isAlive, readState } from '#lib/container/container-files.js';
import { StorageLayout } from '#lib/core/storage-layout.js';
import { startTicksOf } from '#lib/util/start-ticks.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';

async function open(context: TestContext): Promise<ContainerFiles> {
  const root = await scopedDirectory(context);
  const files = containerFiles(new StorageLayout(root, join(root, 'run')), 'a'.repeat(64));
  mkdirSync(files.directory, { recursive: true });
  mkdirSync(files.runDirectory, { recursive: true });
  return files;
}

const nanoseconds = 1_700_000_000_123_000_000n;
const at = new Date(1_700_000_000_123);
const own = startTicksOf(process.pid) ?? 0n;
const ownProcess = `${process.pid} ${own} 1 ${nanoseconds}\n`;

test('without files a container was never started', async (context) => {
  assert.deepEqual(readState(await open(context)), { status: 'created' });
});

test('it runs while its process lives', async (context) => {
  const files = await open(context);
  writeFileSync(files.process, ownProcess);
  const identity = { pid: process.pid, startTicks: own };
  assert.deepEqual(readState(files), { status: 'running', process: identity, startedAt: at });
});

test('an exit record decides, also while the process is still there', async (context) => {
  const files = await open(context);
  writeFileSync(files.process, ownProcess);
  writeFileSync(files.exit, `137 9 1 ${nanoseconds}\n`);
  const exit = { exitCode: 137, signal: 'SIGKILL', oomKilled: true, finishedAt: at };
  assert.deepEqual(readState(files), { status: 'exited', exit, startedAt: at });
  writeFileSync(files.exit, `3 0 0 ${nanoseconds}\n`);
  const state = readState(files);
  assert.ok(state.status === 'exited');
  assert.deepEqual([state.exit.exitCode, state.exit.signal, state.exit.oomKilled], [3, undefined, false]);
});

test('after a reboot only the exit record is left', async (context) => {
  const files = await open(context);
  writeFileSync(files.exit, `0 0 0 ${nanoseconds}\n`);
  const state = readState(files);
  assert.ok(state.status === 'exited' && state.startedAt === undefined);
});

test('a process that is gone without a record was killed with its supervisor', async (context) => {
  const files = await open(context);
  writeFileSync(files.process, `4194305 1 1 ${nanoseconds}\n`);
  const state = readState(files);
  assert.ok(state.status === 'exited');
  assert.deepEqual(state.exit, { exitCode: 137, signal: 'SIGKILL', oomKilled: false, finishedAt: at });
});

test('while its supervisor still writes its end down, a container runs', async (context) => {
  const files = await open(context);
  writeFileSync(files.process, `4194305 1 ${process.pid} ${nanoseconds} ${own}\n`);
  assert.equal(readState(files).status, 'running');
  writeFileSync(files.process, `4194305 1 ${process.pid} ${nanoseconds} ${own + 1n}\n`);
  assert.equal(readState(files).status, 'exited', 'its pid means another process');
});

test('a pid that means another process by now is not the container', async (context) => {
  const files = await open(context);
  writeFileSync(files.process, `${process.pid} ${own + 1n} 1 ${nanoseconds}\n`);
  assert.equal(readState(files).status, 'exited');
});

test('a damaged file is as if it were missing', async (context) => {
  const files = await open(context);
  for (const text of ['', 'x', '-1 2 3 4', '1 2 3 4 x', '1,2']) {
    writeFileSync(files.process, text);
    assert.deepEqual(readState(files), { status: 'created' }, JSON.stringify(text));
  }
});

test('a process is alive until it has ended, a zombie is not, and a name cannot confuse the reader', async () => {
  assert.ok(isAlive({ pid: process.pid, startTicks: own }));
  assert.ok(!isAlive({ pid: process.pid, startTicks: 0n }));
  assert.equal(startTicksOf(4_194_305), undefined);
  // A shell that has replaced itself keeps its child as a zombie: nobody waits for it.
  const parent = spawn('sh', ['-c', 'exec 3>&1; (:) & echo $!; exec 1>&-; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    let output = '';
    for await (const chunk of parent.stdout) {
      output += String(chunk);
      if (output.includes('\n')) break;
    }
    const pid = Number(output);
    while (startTicksOf(pid) !== undefined) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(startTicksOf(pid), undefined);
  } finally {
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  }
});
