import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ContainerInspection } from '#lib/container/inspect-container.js';
import { addMemoryImage } from '#lib/testing/memory-image.js';
import { eventually } from '../../../helpers/eventually.js';
import { openMemoryLab } from '../../../helpers/memory-lab.js';
import { rejection } from '../../../helpers/rejection.js';

const fast = { intervalMs: 5, startIntervalMs: 5, timeoutMs: 10_000 };

describe('an engine that watches over health', () => {
  test('probes from the start on, tells each change of the status, and keeps what the probes have written', async (context) => {
    let code = 1;
    const lab = await openMemoryLab(context, {
      programs: {
        ask: ({ stdout, stderr, arguments: [, word] }) => {
          stdout.write(`${word} `);
          stderr.write('x'.repeat(5000));
          return code;
        },
      },
    });
    const told: string[] = [];
    lab.engine.on('container.health', ({ id, name, status, failingStreak }) =>
      told.push(`${id === container.id} ${name} ${status} ${failingStreak}`),
    );
    const container = await lab.create(['hang'], {
      name: 'app',
      healthcheck: { ...fast, test: ['CMD', 'ask', 'well?'], retries: 2 },
    });
    assert.equal((await container.inspect()).health, undefined, 'it was never started');
    await container.start();
    assert.deepEqual((await container.inspect()).health, { status: 'starting', failingStreak: 0, log: [] });
    const isNow = (status: string) => async () => (await container.inspect()).health?.status === status;
    await eventually('it is unhealthy', isNow('unhealthy'));
    code = 0;
    await eventually('it is healthy', isNow('healthy'));
    const health = (await container.inspect()).health;
    const last = health?.log.at(-1);
    assert.deepEqual([last?.exitCode, last?.output.length, health?.failingStreak], [0, 4096, 0]);
    assert.ok(last?.output.startsWith('well? x'));
    assert.ok(last !== undefined && last.start <= last.end && last.end.getTime() <= Date.now());
    await container.stop({ timeoutMs: 0 });
    assert.equal((await container.inspect()).health?.status, 'unhealthy', 'what has ended is not well');
    assert.deepEqual(told.slice(0, 2), ['true app unhealthy 2', 'true app healthy 0']);
    await container.start();
    assert.deepEqual((await container.inspect()).health, { status: 'starting', failingStreak: 0, log: [] });
    await eventually('it is healthy again', isNow('healthy'));
  });

  test('ends a probe that takes too long, and counts it as a failure', async (context) => {
    const lab = await openMemoryLab(context);
    const container = await lab.create(['hang'], {
      healthcheck: { test: ['CMD', 'hang'], intervalMs: 1, timeoutMs: 20, retries: 1 },
    });
    await container.start();
    const health = async (): Promise<ContainerInspection['health']> => (await container.inspect()).health;
    await eventually('it is unhealthy', async () => (await health())?.status === 'unhealthy');
    const [probe] = (await health())?.log ?? [];
    assert.equal(probe?.exitCode, -1);
    assert.equal(probe.output, 'Health check exceeded timeout (20 ms): ready\n');
    assert.ok(probe.end.getTime() - probe.start.getTime() >= 19);
  });

  test('counts a program that is not there as a failure, and says so', async (context) => {
    const lab = await openMemoryLab(context);
    const container = await lab.create(['hang'], { healthcheck: { ...fast, test: ['CMD', 'missing'] } });
    await container.start();
    await eventually('a probe has failed', async () => (await container.inspect()).health?.failingStreak === 1);
    const [probe] = (await container.inspect()).health?.log ?? [];
    assert.deepEqual([probe?.exitCode, probe?.output.includes("'missing'")], [-1, true]);
  });

  test('does not probe what is paused', async (context) => {
    let probes = 0;
    const ask = (): undefined => {
      probes += 1;
      return undefined;
    };
    const lab = await openMemoryLab(context, { programs: { ask } });
    const watched = await lab.create(['hang'], { healthcheck: { ...fast, test: ['CMD', 'ask'] } });
    const other = await lab.create(['hang'], { healthcheck: { ...fast, test: ['CMD', 'exit', '1'], retries: 5 } });
    await watched.start();
    await eventually('it was probed', () => probes > 0);
    await watched.pause();
    await eventually('a probe under way has ended', async () => {
      const before = probes;
      await new Promise((resolve) => setImmediate(resolve));
      return before === probes;
    });
    const before = probes;
    await other.start();
    await eventually('another one was probed five times', async () => {
      return (await other.inspect()).health?.status === 'unhealthy';
    });
    assert.equal(probes, before);
    await watched.unpause();
    await eventually('it is probed again', () => probes > before);
  });

  test("does what the image's HEALTHCHECK says, unless the option says NONE", async (context) => {
    const lab = await openMemoryLab(context);
    addMemoryImage(lab.registry, 'checked', {
      config: { Cmd: ['hang'], Healthcheck: { Test: ['CMD', 'exit', '0'], Interval: 1_000_000 } },
    });
    const container = await lab.engine.containers.create({ image: 'checked' });
    await container.start();
    await eventually('it is healthy', async () => (await container.inspect()).health?.status === 'healthy');
    const unchecked = await lab.engine.containers.create({ image: 'checked', healthcheck: { test: 'NONE' } });
    await unchecked.start();
    assert.equal((await unchecked.inspect()).health, undefined);
  });

  test('is one of those on a root; another takes over when it closes', async (context) => {
    const probing = new Set<string>();
    let together = 0;
    const lab = await openMemoryLab(context, {
      programs: {
        ask: async () => {
          probing.add('now');
          together = Math.max(together, probing.size);
          await new Promise((resolve) => setImmediate(resolve));
          probing.delete('now');
          return 0;
        },
      },
    });
    const container = await lab.create(['hang'], {
      lifetime: 'detached',
      healthcheck: { ...fast, test: ['CMD', 'ask'] },
    });
    await container.start();
    await eventually('it is healthy', async () => (await container.inspect()).health?.status === 'healthy');
    const second = await lab.other();
    const events: string[] = [];
    second.on('container.health', ({ status }) => events.push(status));
    await lab.engine.close();
    const foreign = await second.containers.get(container.id);
    const lastEnd = async (): Promise<number> => (await foreign.inspect()).health?.log.at(-1)?.end.getTime() ?? 0;
    const before = await lastEnd();
    await eventually('the second probes it', async () => (await lastEnd()) > before, 10_000);
    assert.deepEqual(events, [], 'nothing has changed');
  });

  test('refuses a health check for what is run once', async (context) => {
    const { engine } = await openMemoryLab(context);
    const error = await rejection(
      engine.run('test', ['exit', '0'], { healthcheck: { test: 'x' } } as object),
      'INVALID_OPTION',
    );
    assert.equal(error.data.option, 'healthcheck');
  });
});
