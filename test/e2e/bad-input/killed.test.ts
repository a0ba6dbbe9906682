import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Engine } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { eventually } from '../../helpers/eventually.js';
import { footprint } from '../../helpers/footprint.js';
import { startOwner } from '../../helpers/owner.js';
import { rejection } from '../../helpers/rejection.js';
import { runChecked } from '../../helpers/run-checked.js';

const sleeping = { command: ['sh', '-c', 'echo begun; trap "exit 5" TERM; sleep 1000 & wait'] } as const;

/** Gone, or a zombie that only its new parent can still reap. */
const hasEnded = async (pid: number): Promise<boolean> =>
  /^State:\s+[ZX]/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State: X'));

const supervisorOf = async (lab: EngineLab, id: string): Promise<number> =>
  Number((await readFile(join(lab.options.runRoot, 'containers', id, 'process'), 'utf8')).split(' ')[2]);

const cgroupsOf = async (id: string): Promise<string[]> => {
  const { parts } = await footprint({
    except: ['mount', 'firewall', 'process', 'file descriptor', 'listening socket'],
  });
  return parts.cgroup.filter((path) => path.includes(id));
};

test('an owner that is killed takes its containers along; detached ones go on and are managed by others', async () => {
  await using lab = await openEngineLab();
  const image = lab.image();
  await lab.engine.images.pull(image);
  await using owner = await startOwner(
    lab.options,
    [
      { image, ...sleeping, name: 'owned', ports: ['127.0.0.1::80'] },
      { image, ...sleeping, name: 'detached', lifetime: 'detached', ports: ['127.0.0.1::80'] },
    ],
    { image, command: ['sleep', '1000'] },
  );
  const [owned, detached] = owner.containers;
  assert.ok(owned !== undefined && detached !== undefined);
  const pids = (await lab.engine.containers.list()).length;
  assert.equal(pids, 3);

  await owner.kill();
  await eventually('the owned container has ended', () => hasEnded(owned.pid), 1_000);
  assert.equal(await hasEnded(detached.pid), false);

  await using later = await Engine.open(lab.options);
  const left = await later.containers.list();
  assert.deepEqual(
    left.map(({ name }) => name),
    ['detached'],
  );
  assert.deepEqual(await readdir(join(lab.options.root, 'containers')), [detached.id]);
  assert.deepEqual(await readdir(join(lab.options.runRoot, 'containers')), [detached.id]);
  assert.deepEqual(await cgroupsOf(owned.id), []);
  const pairs = (): Promise<string[]> =>
    readdir('/sys/class/net').then((names) => names.filter((name) => name.startsWith('tsv')));
  await eventually('only the pair of the detached container is left', async () => (await pairs()).length === 1);
  const ruleset = await runChecked('nft', ['list', 'ruleset']);
  assert.equal(ruleset.match(/127\.0\.0\.1 \. \d+ : 172\./g)?.length, 1, ruleset);

  const found = await later.containers.get('detached');
  assert.equal(found.status, 'running');
  assert.equal((await found.exec(['echo', 'still here'])).stdout, 'still here\n');
  const waiting = found.wait();
  assert.equal((await found.stop({ timeoutMs: 5_000 })).exitCode, 5);
  assert.equal((await waiting).exitCode, 5);
  const lines = [];
  for await (const line of found.logs()) lines.push(line.text);
  assert.deepEqual(lines, ['begun']);
  await found.remove();
  assert.deepEqual(await cgroupsOf(detached.id), []);
  assert.deepEqual(await readdir(join(lab.options.root, 'containers')), []);
});

test('an owner that is killed amid its work leaves nothing that the next engine does not repair', async () => {
  await using lab = await openEngineLab();
  const image = lab.image();
  await lab.engine.images.pull(image);
  for (const delayMs of [0, 3, 6, 10, 20]) {
    const owner = await startOwner(lab.options, [], { image, command: ['true'] });
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await owner.kill();
  }
  await using later = await Engine.open(lab.options);
  assert.deepEqual(await later.containers.list(), []);
  await eventually(
    'files of runs are gone',
    async () => (await readdir(join(lab.options.root, 'containers'))).length === 0,
  );
});

test('an engine opens while the files of a dead owner are being removed by somebody else', async () => {
  await using lab = await openEngineLab();
  const image = lab.image();
  await using owner = await startOwner(lab.options, [{ image, command: ['sleep', '1000'], network: 'none' }]);
  const [{ id, pid } = { id: '', pid: 0 }] = owner.containers;
  const supervisor = await supervisorOf(lab, id);
  process.kill(supervisor, 'SIGSTOP'); // it does not see that its owner is gone
  await owner.kill();
  const opening = Engine.open(lab.options);
  await eventually('the container is killed by who opens', () => hasEnded(pid), 5_000);
  for (const root of [lab.options.runRoot, lab.options.root])
    await rm(join(root, 'containers', id), { recursive: true });
  process.kill(supervisor, 'SIGKILL');
  await using later = await opening;
  assert.deepEqual(await later.containers.list(), []);
  assert.deepEqual(await cgroupsOf(id), []);
});

for (const lifetime of ['owner', 'detached'] as const) {
  test(`a supervisor that is killed ends its container: ${lifetime}`, async () => {
    await using lab = await openEngineLab();
    const image = lab.image();
    const container = await lab.engine.containers.create({
      image,
      command: ['sleep', '1000'],
      ports: ['127.0.0.1::80'],
      lifetime,
    });
    await container.start();
    const { pid = 0 } = await container.inspect();
    const waiting = container.wait();
    process.kill(await supervisorOf(lab, container.id), 'SIGKILL');
    await eventually('the container has ended', () => hasEnded(pid), 1_000);
    assert.deepEqual(await waiting.then(({ exitCode, signal }) => ({ exitCode, signal })), {
      exitCode: 137,
      signal: 'SIGKILL',
    });
    assert.equal(container.status, 'exited');
    assert.equal((await container.wait()).exitCode, 137);
    await rejection(container.exec(['true']), 'WRONG_STATE');

    await container.start();
    assert.equal((await container.exec(['echo', 'again'])).stdout, 'again\n');
    process.kill(await supervisorOf(lab, container.id), 'SIGKILL');
    await container.wait();
    await container.remove();
    assert.deepEqual(await cgroupsOf(container.id), []);
    assert.equal(existsSync(join(lab.options.root, 'containers', container.id)), false);
    assert.doesNotMatch(await runChecked('nft', ['list', 'ruleset']), /127\.0\.0\.1 \. \d+ : 172\./);
  });
}

test('the process that makes supervisors is killed: containers go on, and the next start makes a new one', async () => {
  await using lab = await openEngineLab();
  const image = lab.image();
  const container = await lab.engine.containers.create({ image, command: ['sleep', '1000'], network: 'none' });
  await container.start();
  const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8');
  for (const pid of children.trim().split(' ')) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8');
    if (commandLine.split('\0')[1] === 'serve') process.kill(Number(pid), 'SIGKILL');
  }
  assert.equal(container.status, 'running');
  await eventually('a start works again', async () => {
    const work = lab.engine.run(image, ['echo', 'fine'], { network: 'none' });
    return work.then(
      ({ stdout }) => stdout === 'fine\n',
      () => false,
    );
  });
  assert.equal((await container.exec(['echo', 'still'])).stdout, 'still\n');
  await container.remove({ force: true });
});

test('a supervisor of a run or an exec that is killed is an error of the engine', async () => {
  await using lab = await openEngineLab();
  const image = lab.image();
  const started = new Promise<string>((resolve) => lab.engine.on('container.started', ({ id }) => resolve(id)));
  const work = rejection(lab.engine.run(image, ['sleep', '1000']), 'SHIM_FAILED');
  process.kill(await supervisorOf(lab, await started), 'SIGKILL');
  await work;
  assert.deepEqual(await lab.engine.containers.list(), []);
});
