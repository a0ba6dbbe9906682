import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Engine, EngineError } from 'tscontainer';

async function open(context: TestContext): Promise<{ readonly engine: Engine; readonly root: string }> {
  const base = await mkdtemp(join(tmpdir(), 'tscontainer-test-'));
  const root = join(base, 'root');
  const engine = await Engine.open({ root, runRoot: join(base, 'run') });
  context.after(async () => {
    await engine.close();
    await rm(base, { recursive: true });
  });
  await engine.images.fromHost({ binaries: ['sh', 'sleep', 'cat'], tag: 'tools' });
  return { engine, root };
}

const supervisorOf = (root: string, id: string): number =>
  Number(readFileSync(join(root, '..', 'run', 'containers', id, 'process'), 'utf8').split(' ')[2]);

test('a command that comes while its container ends is told that it does not run any more', async (context) => {
  const { engine } = await open(context);
  const seen = { told: 0, ran: 0 };
  const note = async (command: Promise<unknown>): Promise<void> => {
    try {
      await command;
      seen.ran += 1;
    } catch (error) {
      if (!EngineError.is(error, 'WRONG_STATE')) throw error;
      seen.told += 1;
    }
  };
  for (let round = 0; round < 30; round++) {
    await using container = await engine.containers.create({
      image: 'tools',
      command: ['sleep', '1000'],
      network: 'none',
    });
    await container.start();
    const commands = [0, 1, 2].map(() => note(container.exec(['sh', '-c', ':'])));
    await container.kill();
    commands.push(...[0, 1, 2].map(() => note(container.exec(['sh', '-c', ':']))));
    await Promise.all(commands);
  }
  assert.ok(seen.told > 0, JSON.stringify(seen));
});

test('a container whose supervisor was killed has been killed with it, and can be started again and removed', async (context) => {
  const { engine, root } = await open(context);
  const container = await engine.containers.create({
    image: 'tools',
    command: ['sleep', '1000'],
    network: 'none',
    lifetime: 'detached',
    memory: '64m',
  });
  const cgroups = readFileSync('/proc/self/cgroup', 'utf8');
  for (let round = 0; round < 2; round++) {
    await container.start();
    const { pid } = await container.inspect();
    const waiting = container.wait();
    process.kill(supervisorOf(root, container.id), 'SIGKILL');
    assert.deepEqual([(await waiting).exitCode, (await waiting).signal], [137, 'SIGKILL']);
    assert.equal(container.status, 'exited');
    assert.ok(!existsSync(`/proc/${pid}/root/sleep`));
    assert.equal((await container.stop()).exitCode, 137);
  }
  await container.remove();
  assert.deepEqual(await engine.containers.list(), []);
  assert.equal(readFileSync('/proc/self/cgroup', 'utf8'), cgroups);
  const memory = '/sys/fs/cgroup/memory';
  if (existsSync(memory)) assert.ok(!existsSync(join(memory, 'tscontainer', container.id)));
});

test('an exec whose program leaves a child behind gives its result, and the child goes with the container', async (context) => {
  const { engine } = await open(context);
  await using container = await engine.containers.create({
    image: 'tools',
    command: ['sleep', '1000'],
    network: 'none',
  });
  await container.start();
  const result = await container.exec(['sh', '-c', 'sleep 1000 & echo $!; exit 3'], { timeoutMs: 60_000 });
  assert.equal(result.exitCode, 3);
  assert.match(result.stdout, /^\d+\n$/);
});

test('two engines that start one container at once start it once', async (context) => {
  const { engine, root } = await open(context);
  await using other = await Engine.open({ root, runRoot: join(root, '..', 'run') });
  await using container = await engine.containers.create({
    image: 'tools',
    command: ['sleep', '1000'],
    network: 'none',
  });
  const same = await other.containers.get(container.id);
  const results = await Promise.allSettled([container.start(), same.start(), container.start(), same.start()]);
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.equal(container.status, 'running');
});
