import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startTicksOf } from '#lib/util/start-ticks.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';

interface Owned {
  readonly owner: ChildProcess;
  readonly isAlive: () => boolean;
  readonly pid: number;
  readonly exitFile: string;
}

async function startOwner(context: TestContext, mode: 'owner' | 'detached' | 'released'): Promise<Owned> {
  const script = fileURLToPath(new URL('../../helpers/owner-process.js', import.meta.url));
  const owner = spawn(process.execPath, [script, mode], {
    env: { ...process.env, TMPDIR: await scopedDirectory(context) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  const { pid, startTicks, exitFile } = JSON.parse(String(line)) as {
    pid: number;
    startTicks: string;
    exitFile: string;
  };
  const isAlive = (): boolean => startTicksOf(pid) === BigInt(startTicks);
  assert.ok(isAlive());
  return { owner, isAlive, pid, exitFile };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 20_000; !condition(); await delay(10)) assert.ok(Date.now() < deadline, what);
}

async function kill(owner: ChildProcess): Promise<void> {
  owner.kill('SIGKILL');
  await once(owner, 'exit');
}

test('a container of lifetime owner ends with its owner, however that ends', async (context) => {
  const { owner, isAlive, exitFile } = await startOwner(context, 'owner');
  await kill(owner);
  await until(() => !isAlive(), 'the container ends');
  await until(() => existsSync(exitFile), 'its supervisor records the exit');
  assert.match(readFileSync(exitFile, 'utf8'), /^137 9 0 \d+\n$/);
});

for (const mode of ['detached', 'released'] as const) {
  test(`a ${mode} container outlives the process that has started it, and its exit is recorded`, async (context) => {
    const { owner, isAlive, pid, exitFile } = await startOwner(context, mode);
    await kill(owner);
    // Its supervisor has seen the end of the channel by the time that it has answered to the next signal.
    assert.ok(isAlive() && !existsSync(exitFile));
    process.kill(pid, 'SIGKILL');
    await until(() => existsSync(exitFile), 'its supervisor records the exit');
    assert.match(readFileSync(exitFile, 'utf8'), /^137 9 0 \d+\n$/);
    assert.ok(!isAlive());
  });
}
