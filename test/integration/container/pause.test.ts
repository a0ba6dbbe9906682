import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { type Container, type ContainerOptions, Engine } from 'tscontainer';
import { cpuMsOf } from '../../helpers/container-group.js';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { eventually } from '../../helpers/eventually.js';
import { startOwner } from '../../helpers/owner.js';
import { rejection } from '../../helpers/rejection.js';
import { runProgram } from '../../helpers/run-program.js';

const busy = ['sh', '-c', 'while :; do :; done'];
const polite = ['sh', '-c', 'trap "exit 5" TERM; sleep 100000 & wait'];

describe('a paused container', () => {
  let lab: EngineLab;
  let image: string;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
    await lab.engine.images.pull(image);
  });
  after(() => lab[Symbol.asyncDispose]());

  const start = async (options: Partial<ContainerOptions> = {}): Promise<Container> => {
    const container = await lab.engine.containers.create({ image, network: 'none', command: polite, ...options });
    await container.start();
    return container;
  };
  const pidOf = async (container: Container): Promise<number> => (await container.inspect()).pid ?? 0;

  test('makes no progress, for whoever looks, and goes on afterwards', async () => {
    await using container = await start({ command: busy });
    const pid = await pidOf(container);
    await eventually('it runs', async () => (await cpuMsOf(pid)) > 0);
    await container.pause();
    const cpuMs = await cpuMsOf(pid);
    await using other = await Engine.open(lab.options);
    const foreign = await other.containers.get(container.id);
    assert.deepEqual([container.status, foreign.status, (await foreign.inspect()).status], Array(3).fill('paused'));
    await runProgram('/bin/sh', ['-c', 'i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done']); // time in which it could run
    assert.equal(await cpuMsOf(pid), cpuMs);
    await rejection(container.exec(['true']), 'WRONG_STATE');
    await foreign.unpause();
    assert.equal(container.status, 'running');
    await eventually('it goes on', async () => (await cpuMsOf(pid)) > cpuMs, 20_000);
    assert.equal((await container.exec(['echo', 'back'])).stdout, 'back\n');
  });

  test('is still measured and listed', async () => {
    await using container = await start({ command: ['sleep', '100000'] });
    await container.pause();
    const first = await container.stats();
    const second = await container.stats();
    assert.ok(first.cpu !== undefined);
    assert.equal(second.cpu?.usageMs, first.cpu.usageMs);
    assert.equal(second.pids?.current, 1);
    assert.deepEqual(
      (await container.top()).map(({ name }) => name),
      ['sleep'],
    );
  });

  test('is stopped by its own handler', async () => {
    await using container = await start();
    await container.pause();
    assert.equal((await container.stop({ timeoutMs: 20_000 })).exitCode, 5);
  });

  test('is killed and removed', async () => {
    await using killed = await start();
    await killed.pause();
    await killed.kill();
    assert.equal((await killed.wait()).signal, 'SIGKILL');
    await using removed = await start();
    await removed.pause();
    await rejection(removed.remove(), 'WRONG_STATE');
    await removed.remove({ force: true });
    await rejection(lab.engine.containers.get(removed.id), 'NO_SUCH_CONTAINER');
  });

  test('ends with its owner', async () => {
    await using owner = await startOwner(lab.options, [{ image, network: 'none', command: polite, name: 'owned' }]);
    const [owned] = owner.containers;
    assert.ok(owned !== undefined);
    await (await lab.engine.containers.get('owned')).pause();
    await owner.kill();
    await eventually(
      'the container has ended',
      async () => !/^State:\s+[^ZX]/m.test(await readFile(`/proc/${owned.pid}/status`, 'utf8').catch(() => '')),
      1_000,
    );
    await using later = await Engine.open(lab.options);
    await rejection(later.containers.get('owned'), 'NO_SUCH_CONTAINER');
  });

  test('of processes in plenty stops as a whole', async () => {
    const script = 'for i in 1 2 3; do (while :; do true & wait; done) & done; wait';
    await using container = await start({ command: ['sh', '-c', script] });
    await container.pause();
    const usage = async (): Promise<number | undefined> => (await container.stats()).cpu?.usageMs;
    const before = await usage();
    await runProgram('/bin/sh', ['-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done']);
    assert.equal(await usage(), before);
    await container.unpause();
    await eventually('it goes on', async () => (await usage()) !== before, 20_000);
  });
});
