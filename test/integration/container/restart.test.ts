import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Container, type ContainerOptions, Engine } from 'tscontainer';
import { isCgroupV2 } from '../../helpers/container-group.js';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { eventually } from '../../helpers/eventually.js';
import { startOwner } from '../../helpers/owner.js';
import { rejection } from '../../helpers/rejection.js';

/** Ends with 7, and with 0 once it has run three times. */
const improving = ['sh', '-c', 'echo x >> /runs; n=$(wc -l < /runs); echo "run $n"; [ $n -ge 3 ] || exit 7'];

describe('a restart policy', () => {
  let lab: EngineLab;
  let image: string;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
    await lab.engine.images.pull(image);
  });
  after(() => lab[Symbol.asyncDispose]());

  const create = (options: Partial<ContainerOptions>): Promise<Container> =>
    lab.engine.containers.create({ image, network: 'none', command: improving, ...options });
  const startsOf = async (container: Container): Promise<number> => (await container.inspect()).restartCount;

  test('starts a container again until it succeeds, in the same root, with one log, and tells each run', async () => {
    await using container = await create({ restart: 'on-failure' });
    const told: string[] = [];
    const mine = ({ id }: { readonly id: string }): boolean => id === container.id;
    const off = [
      lab.engine.on('container.started', (event) => mine(event) && told.push('started')),
      lab.engine.on('container.exited', (event) => mine(event) && told.push(`exited ${event.exit.exitCode}`)),
      lab.engine.on('container.restarting', (event) => mine(event) && told.push(`after ${event.delayMs}`)),
    ];
    await container.start();
    assert.equal((await container.wait()).exitCode, 0);
    for (const each of off) each();
    const lines: string[] = [];
    for await (const line of container.logs()) lines.push(line.text);
    assert.deepEqual(lines, ['run 1', 'run 2', 'run 3']);
    assert.deepEqual(told.join(), 'started,exited 7,after 100,started,exited 7,after 200,started,exited 0');
    const { status, restartCount, exit } = await container.inspect();
    assert.deepEqual([status, restartCount, exit?.exitCode], ['exited', 2, 0]);
  });

  test('limits that were changed are in force in the next run, too', async () => {
    const command = ['sh', '-c', 'cat /sys/fs/cgroup/$F; sleep 0.3; exit 1'];
    const env = { F: isCgroupV2() ? 'memory.max' : 'memory/memory.limit_in_bytes' };
    await using container = await create({ restart: 'on-failure', memory: '32m', memorySwap: '32m', env, command });
    await container.start();
    await container.update({ memory: '64m', memorySwap: '96m', cpusetCpus: '0' });
    await eventually('it runs again', async () => (await startsOf(container)) >= 2, 10_000);
    await container.update({ memory: '16m', memorySwap: '16m' });
    await eventually('it runs once more', async () => (await startsOf(container)) >= 4, 10_000);
    await container.stop({ timeoutMs: 0 });
    const lines: string[] = [];
    for await (const line of container.logs()) lines.push(line.text);
    assert.deepEqual(lines.slice(0, 2).map(Number), [32 * 2 ** 20, 64 * 2 ** 20]);
    assert.equal(Number(lines.at(-1)), 16 * 2 ** 20);
    await container.start();
    assert.equal((await container.stats()).memory?.limitBytes, 16 * 2 ** 20);
  });

  test('each run has an exit of its own to wait for, also in another process', async () => {
    await using container = await create({
      restart: 'on-failure',
      command: ['sh', '-c', 'echo x >> /n; exit $(wc -l < /n)'],
    });
    await using other = await Engine.open(lab.options);
    const foreign = await other.containers.get(container.id);
    const codes: number[] = [];
    let next = foreign.wait({ condition: 'next-exit' });
    await container.start();
    for (let round = 0; round < 3; round += 1) {
      codes.push((await next).exitCode);
      next = foreign.wait({ condition: 'next-exit' });
    }
    codes.push((await next).exitCode);
    assert.deepEqual(codes, [1, 2, 3, 4]);
    const removed = foreign.wait({ condition: 'removed' });
    await container.remove({ force: true });
    assert.ok(((await removed)?.exitCode ?? 0) >= 4);
  });

  test('`on-failure:1` gives up after one more try; a new start begins anew', async () => {
    await using container = await create({ restart: 'on-failure:1', command: ['sh', '-c', 'exit 4'] });
    for (let round = 0; round < 2; round += 1) {
      await container.start();
      assert.equal((await container.wait()).exitCode, 4);
      assert.equal(await startsOf(container), 1);
    }
  });

  test('keeps address, ports and attachability on the network', async () => {
    const command = ['sh', '-c', 'echo x >> /runs; wc -l < /runs > /www; nc -l -p 80 < /www'];
    await using container = await create({ restart: 'always', network: 'bridge', ports: ['127.0.0.1::80'], command });
    await container.start();
    const { network } = await container.inspect();
    const [port] = network.ports;
    const ask = async (): Promise<number> => {
      const response = await lab.engine.run(image, ['nc', `${network.addresses[0]?.address}`, '80'], {
        timeoutMs: 5000,
      });
      return Number(response.stdout);
    };
    // The number of the run that answered, which ends with its answer: what is looked at then is the run after it.
    let answered = 0;
    for (let round = 0; round < 3; round += 1) {
      const answers = async (): Promise<boolean> => {
        answered = await ask();
        return answered > round;
      };
      await eventually(`it answers, round ${round}`, answers, 20_000);
    }
    const nextRuns = async (): Promise<boolean> => {
      const { status, restartCount } = await container.inspect();
      return status === 'running' && restartCount === answered;
    };
    await eventually('the run after it waits', nextRuns, 20_000);
    const later = (await container.inspect()).network;
    assert.deepEqual([later.addresses, later.ports[0]], [network.addresses, port]);
    await using attached = await container.attach({ stdin: false });
    await container.stop({ timeoutMs: 0 });
    assert.equal((await attached.wait()).reason, 'exited');
  });

  test('a start right after the end finds the interface of the run before out of the way', async () => {
    await using container = await create({ network: 'bridge', command: ['true'] });
    for (let round = 0; round < 10; round += 1) {
      await container.start();
      assert.equal((await container.wait()).exitCode, 0);
    }
  });

  test('does not start what was stopped or killed; start() does, and the policy holds again', async () => {
    await using container = await create({ restart: 'always', command: ['sleep', '100000'] });
    for (const end of [() => container.stop({ timeoutMs: 0 }), () => container.kill()]) {
      await container.start();
      await end();
      await container.wait();
      assert.deepEqual([container.status, await startsOf(container)], ['exited', 0]);
    }
    await container.start();
    await container.kill('SIGUSR1'); // neither its stop signal nor SIGKILL, and sleep is PID 1: nothing happens
    assert.equal(container.status, 'running');
    const pid = (await container.inspect()).pid ?? 0;
    process.kill(pid, 'SIGKILL'); // not by us
    await eventually('it runs again', async () => ![0, pid].includes((await container.inspect()).pid ?? 0));
  });

  test('a pause is seen, is ended by stop, and nothing but stop, kill and remove goes then', async () => {
    await using container = await create({ restart: 'always', command: ['false'] });
    await container.start();
    await eventually('the pause is long', async () => (await startsOf(container)) >= 4, 20_000);
    await eventually('it waits', () => container.status === 'restarting');
    await using other = await Engine.open(lab.options);
    const foreign = await other.containers.get(container.id);
    const { status, exit, nextStartAt } = await foreign.inspect();
    assert.deepEqual([status, exit?.exitCode], ['restarting', 1]);
    assert.ok((nextStartAt?.getTime() ?? 0) > Date.now());
    await rejection(container.start(), 'WRONG_STATE');
    await rejection(container.exec(['true']), 'WRONG_STATE');
    await rejection(container.pause(), 'WRONG_STATE');
    await rejection(container.remove(), 'WRONG_STATE');
    const waiting = foreign.wait();
    const begun = performance.now();
    assert.equal((await container.stop()).exitCode, 1);
    assert.equal((await waiting).exitCode, 1);
    assert.ok(performance.now() - begun < 1000);
    assert.equal(container.status, 'exited');
  });

  test('remove({ force: true }) ends a pause', async () => {
    const container = await create({ restart: 'always', command: ['false'], lifetime: 'detached' });
    await container.start();
    await eventually('it waits', () => container.status === 'restarting');
    await container.remove({ force: true });
    await eventually('its group is gone', () => !existsSync(`/sys/fs/cgroup/pids/tscontainer/${container.id}`));
  });

  test('holds while no engine runs; an owned container ends with its owner, also in a pause', async () => {
    const lines = 'echo $$; exec sleep 0.2; exit 3';
    const base = { image, network: 'none', restart: 'always', command: ['sh', '-c', lines] } as const;
    const owner = await startOwner(lab.options, [
      { ...base, lifetime: 'detached', name: 'goes-on' },
      { ...base, lifetime: 'owner', name: 'ends' },
    ]);
    const [detached, owned] = owner.containers;
    await owner.kill();
    await using container = await lab.engine.containers.get('goes-on');
    const count = await startsOf(container);
    await eventually('it was started again', async () => (await startsOf(container)) > count, 20_000);
    assert.equal(container.id, detached?.id);
    await using _next = await Engine.open(lab.options); // removes what the owner has left
    await rejection(lab.engine.containers.get(owned?.id ?? ''), 'NO_SUCH_CONTAINER');
  });

  test('is applied by the next open: after the supervisor was killed, and after a reboot', async () => {
    const base = { image, network: 'none', command: ['sleep', '100000'], lifetime: 'detached' } as const;
    const rows = [
      ['always', 'running', 'running'],
      ['unless-stopped', 'running', 'running'],
      ['on-failure', 'running', 'running'],
      ['no', 'exited', 'exited'],
    ] as const;
    const runRoot = join(lab.directory, 'run-2');
    const options = { root: join(lab.directory, 'root-2'), runRoot };
    const first = await Engine.open(options);
    await first.images.pull(image);
    const started = await Promise.all(
      rows.map(async ([restart]) => {
        const container = await first.containers.create({ ...base, restart, name: restart });
        await container.start();
        return container;
      }),
    );
    const stopped = await first.containers.create({ ...base, restart: 'always', name: 'stopped-always' });
    const never = await first.containers.create({ ...base, restart: 'unless-stopped', name: 'stopped-unless' });
    const unused = await first.containers.create({ ...base, restart: 'always', name: 'never-started' });
    for (const each of [stopped, never]) {
      await each.start();
      await each.stop({ timeoutMs: 0 });
    }
    for (const each of started) await killSupervisor(runRoot, each.id);
    await first.close();

    const second = await Engine.open(options);
    const statuses = async (engine: Engine): Promise<Record<string, string>> =>
      Object.fromEntries((await engine.containers.list()).map((each) => [each.name, each.status]));
    const expected = Object.fromEntries(rows.map(([name, status]) => [name, status]));
    const others = { 'stopped-always': 'exited', 'stopped-unless': 'exited', 'never-started': 'created' };
    assert.deepEqual(await statuses(second), { ...expected, ...others });
    for (const each of await second.containers.list()) {
      if (each.status === 'running') await killSupervisor(runRoot, each.id);
    }
    await second.close();
    await rm(join(runRoot, 'containers'), { recursive: true }); // a reboot

    const third = await Engine.open(options);
    assert.deepEqual(await statuses(third), { ...expected, ...others, no: 'created', 'stopped-always': 'running' });
    assert.equal(unused.id.length, 64);
    for (const each of await third.containers.list()) await each.remove({ force: true });
    await third.close();
  });

  test('bad policies are refused, and name the option', async () => {
    for (const restart of ['sometimes', 'on-failure:x', 'always:3', { policy: 'on-failure', maxRetries: -1 }, 3]) {
      const error = await rejection(create({ restart: restart as 'no' }), 'INVALID_OPTION');
      assert.match(error.message, /restart/);
    }
    const once = { network: 'none', restart: 'always' } as object;
    await rejection(lab.engine.run(image, ['true'], once), 'INVALID_OPTION');
  });
});

/** Ends the supervisor, and with it the container, as nobody should. */
async function killSupervisor(runRoot: string, id: string): Promise<void> {
  const text = await readFile(join(runRoot, 'containers', id, 'process'), 'utf8');
  const [pid, , supervisor] = text.split(' ').map(Number);
  process.kill(supervisor ?? 0, 'SIGKILL');
  await eventually('the container has ended', () => !existsSync(`/proc/${pid}`));
}
