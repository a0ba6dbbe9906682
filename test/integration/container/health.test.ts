import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Container, type ContainerHealth, type ContainerOptions, Engine } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { eventually } from '../../helpers/eventually.js';
import { startOwner } from '../../helpers/owner.js';
import { runProgram } from '../../helpers/run-program.js';

const fast = { intervalMs: 10, timeoutMs: 20_000 };

describe('a health check', () => {
  let lab: EngineLab;
  let image: string;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
    await lab.engine.images.pull(image);
  });
  after(() => lab[Symbol.asyncDispose]());

  const start = async (options: Partial<ContainerOptions>): Promise<Container> => {
    const command = ['sleep', '100000'];
    const container = await lab.engine.containers.create({ image, network: 'none', command, ...options });
    await container.start();
    return container;
  };
  const healthOf = async (container: Container): Promise<ContainerHealth | undefined> =>
    (await container.inspect()).health;
  const becomes = (container: Container, status: ContainerHealth['status']): Promise<void> =>
    eventually(`it is ${status}`, async () => (await healthOf(container))?.status === status, 20_000);
  const names = async (container: Container): Promise<string> =>
    (await container.top()).map(({ command }) => command.join(' ')).join();

  test('is a process of the container, with its rights and environment, and follows what it finds', async () => {
    await using container = await start({
      user: 'user',
      env: { PLACE: '/tmp/well' },
      healthcheck: { ...fast, test: 'id -un; test -e $PLACE', retries: 2 },
    });
    await becomes(container, 'unhealthy');
    await container.exec(['touch', '/tmp/well']);
    await becomes(container, 'healthy');
    assert.equal((await healthOf(container))?.log.at(-1)?.output, 'user\n');
    await container.exec(['rm', '/tmp/well']);
    await becomes(container, 'unhealthy');
  });

  test("is the image's HEALTHCHECK", async () => {
    const checked = lab.image([], {
      Cmd: ['sleep', '100000'],
      Healthcheck: { Test: ['CMD-SHELL', 'echo asked'], Interval: 10_000_000 },
    });
    await using container = await lab.engine.containers.create({ image: checked, network: 'none' });
    await container.start();
    await becomes(container, 'healthy');
    assert.equal((await healthOf(container))?.log[0]?.output, 'asked\n');
  });

  test('that takes too long is killed with everything it has started, daemons too', async () => {
    const slow = 'echo begun; setsid sh -c "sleep 77777 & sleep 88888" & sleep 99999 & wait';
    await using container = await start({ healthcheck: { ...fast, timeoutMs: 300, test: slow, retries: 1 } });
    await eventually('a probe runs', async () => (await names(container)).includes('sleep 77777'));
    const { pids } = await container.stats();
    assert.ok((pids?.current ?? 0) > 1, 'it counts as a part of the container');
    await becomes(container, 'unhealthy');
    const { log } = (await healthOf(container)) ?? { log: [] };
    assert.deepEqual([log[0]?.exitCode, log[0]?.output], [-1, 'Health check exceeded timeout (300 ms): begun\n']);
    await eventually('they are gone', async () => (await names(container)) === 'sleep 100000');
  });

  test('that leaves something behind is cleaned up after', async () => {
    await using container = await start({
      healthcheck: { ...fast, intervalMs: 400, test: 'setsid sleep 66666 & exit 0' },
    });
    await becomes(container, 'healthy');
    await eventually('it is gone', async () => (await names(container)) === 'sleep 100000', 300);
  });

  test('does not come in the way of an end: of the program, by stop, by remove', async () => {
    for (const probe of ['sleep 99999', 'exit 0']) {
      const healthcheck = { ...fast, intervalMs: 1, test: probe };
      const short = await start({ command: ['sleep', '0.2'], healthcheck });
      assert.equal((await short.wait()).exitCode, 0);
      await short.remove();
      const long = await start({ healthcheck });
      await long.stop({ timeoutMs: 0 });
      await long.remove();
      await (await start({ healthcheck })).remove({ force: true });
    }
  });

  test('rests while the container is paused', async () => {
    await using container = await start({
      command: ['sh', '-c', 'mkfifo /asked; while read line; do echo $line; done <> /asked'],
      healthcheck: { ...fast, test: 'test -p /asked && echo asked > /asked' },
    });
    await becomes(container, 'healthy');
    await container.pause();
    const lastEnd = async (): Promise<number> => (await healthOf(container))?.log.at(-1)?.end.getTime() ?? 0;
    const then = await lastEnd();
    await runProgram('/bin/sh', ['-c', 'i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done']); // time for many probes
    assert.equal(await lastEnd(), then);
    await container.unpause();
    await eventually('it is probed again', async () => (await lastEnd()) > then);
    assert.equal((await healthOf(container))?.status, 'healthy');
  });

  test('of a detached container goes on in another engine; the one of a restarted container begins anew', async () => {
    const healthcheck = { ...fast, test: ['CMD', 'true'] };
    const base = { image, network: 'none', command: ['sleep', '100000'], lifetime: 'detached', healthcheck } as const;
    const owner = await startOwner(lab.options, [{ ...base, name: 'watched' }]);
    await using container = await lab.engine.containers.get('watched');
    await becomes(container, 'healthy');
    await owner.kill();
    const ended = Date.now();
    await eventually(
      'we probe it',
      async () => ((await healthOf(container))?.log.at(-1)?.start.getTime() ?? 0) > ended,
      20_000,
    );
    await using again = await start({
      restart: 'always',
      command: ['sh', '-c', 'read line < /proc/self/fd/0; sleep 0.3; exit 1'],
      healthcheck,
    });
    await becomes(again, 'healthy');
    await eventually('it runs again', async () => (await again.inspect()).restartCount > 0, 10_000);
    const { health, startedAt } = await again.inspect();
    for (const { start: at } of health?.log ?? []) assert.ok(at >= (startedAt ?? at), 'no result of the run before');
  });

  test('keeps no program alive that has nothing else to do', async () => {
    const program = `
      const { Engine } = await import(${JSON.stringify(import.meta.resolve('tscontainer'))});
      const engine = await Engine.open(${JSON.stringify({ ...lab.options, runRoot: lab.options.runRoot })});
      const container = await engine.containers.create({
        image: ${JSON.stringify(image)}, network: 'none', command: ['sleep', '100000'],
        healthcheck: { test: ['CMD', 'sleep', '1000'], intervalMs: 1 },
      });
      await container.start();
      console.log('done');`;
    const { exitCode, stdout, stderr } = await runProgram(process.execPath, ['--input-type=module', '-e', program]);
    assert.deepEqual([exitCode, stdout, stderr], [0, 'done\n', '']);
    await using _next = await Engine.open(lab.options); // removes what that one has left
  });
});
