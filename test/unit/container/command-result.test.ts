import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import type { Container } from '#lib/container/container.js';
import type { MemoryProgram } from '#lib/runtime/memory/memory-program.js';
import { type MemoryLab, type MemoryLabOptions, openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

/** A container that runs, for commands in it. */
async function running(
  context: Parameters<typeof openMemoryLab>[0],
  options: MemoryLabOptions = {},
): Promise<MemoryLab & { readonly container: Container }> {
  const lab = await openMemoryLab(context, options);
  const container = await lab.create(['hang'], { env: { FROM: 'container' }, user: '5', workingDir: '/srv' });
  await container.start();
  return { ...lab, container };
}

/** Writes until nobody reads. */
const yes: MemoryProgram = async ({ stdout, ended }) => {
  while (!ended.aborted)
    if (!stdout.write('y'.repeat(10_000))) await Promise.race([once(stdout, 'drain'), once(ended, 'abort')]);
  return 0;
};

describe('exec', () => {
  test('gives exit and output as text and as bytes', async (context) => {
    const { container } = await running(context, {
      programs: {
        mixed: ({ stdout, stderr }) => {
          stdout.write(Buffer.from([0xff, 0x0a]));
          stderr.write('wörter');
          return 3;
        },
      },
    });
    const result = await container.exec(['mixed']);
    assert.deepEqual([result.exitCode, result.signal, result.oomKilled], [3, undefined, false]);
    assert.deepEqual(result.stdoutBytes, Buffer.from([0xff, 0x0a]));
    assert.deepEqual([result.stdout, result.stderr], ['\ufffd\n', 'wörter']);
    assert.ok(result.durationMs >= 0 && result.finishedAt instanceof Date);
  });

  test('input is written and closed; without input there is none', async (context) => {
    const { container, launcher } = await running(context);
    assert.equal((await container.exec(['copy'], { input: 'typed' })).stdout, 'typed');
    assert.equal((await container.exec(['copy'], { input: Buffer.alloc(300_000, 'x') })).stdout.length, 300_000);
    assert.equal((await container.exec(['copy'])).stdout, '');
    assert.deepEqual(
      launcher.launches.slice(1).map(({ stdin }) => stdin),
      ['pipe', 'pipe', 'null'],
    );
  });

  test('input that nobody reads is no error', async (context) => {
    const { container } = await running(context);
    assert.equal((await container.exec(['exit', '8'], { input: Buffer.alloc(1_000_000) })).exitCode, 8);
  });

  test('has the container’s environment, user and directory unless told otherwise', async (context) => {
    const { container, launcher } = await running(context, {
      programs: { env: ({ stdout, environment }) => void stdout.write(JSON.stringify(environment)) },
    });
    const plain = JSON.parse((await container.exec(['env'])).stdout) as Record<string, string>;
    assert.deepEqual([plain['FROM'], plain['HOSTNAME'], plain['TERM']], ['container', container.name, undefined]);
    const changed = await container.exec(['env'], {
      env: { FROM: 'exec', HOSTNAME: undefined },
      user: 'www:7',
      workingDir: '/w',
    });
    const environment = JSON.parse(changed.stdout) as Record<string, string>;
    assert.deepEqual([environment['FROM'], environment['HOSTNAME']], ['exec', undefined]);
    const users = launcher.launches.map(({ plan }) => plan.child.find(({ op }) => op === 'named-identity'));
    assert.deepEqual(
      users.map((each) => each?.op === 'named-identity' && each.user),
      ['5', '5', 'www:7'],
    );
    const directories = launcher.launches.map(({ plan }) => plan.child.find(({ op }) => op === 'working-directory'));
    assert.deepEqual(
      directories.map((each) => each?.op === 'working-directory' && each.path),
      ['/srv', '/srv', '/w'],
    );
  });

  test('joins the process of the container, with no more rights than it has', async (context) => {
    const { container, launcher } = await running(context);
    await container.exec(['exit', '0']);
    const [first, second] = launcher.launches.map(({ plan }) => plan);
    const { pid } = await container.inspect();
    assert.deepEqual(second?.namespaces, []);
    const [opened] = second?.prepare ?? [];
    assert.equal(opened?.op === 'open-process' && opened.pid, pid);
    for (const op of ['bounding', 'capabilities', 'seccomp'] as const) {
      const of = (plan: typeof first): unknown => plan?.child.find((each) => each.op === op);
      assert.ok(of(first) !== undefined);
      assert.deepEqual(of(second), of(first), op);
    }
  });

  test('a container that does not run, and commands that are none', async (context) => {
    const { create, launcher } = await openMemoryLab(context);
    const container = await create(['exit', '0']);
    assert.equal((await rejection(container.exec(['exit', '0']), 'WRONG_STATE')).data.status, 'created');
    await container.start();
    await container.wait();
    assert.equal((await rejection(container.exec(['exit', '0']), 'WRONG_STATE')).data.status, 'exited');
    const alive = await create(['hang']);
    await alive.start();
    for (const command of [[], [''], ['a\0b'], 'text' as never, [5] as never]) {
      assert.equal((await rejection(alive.exec(command), 'INVALID_OPTION')).data.option, 'command');
    }
    await rejection(alive.exec(['x'], { workingDir: 'relative' }), 'INVALID_OPTION');
    await rejection(alive.exec(['x'], { user: '01' }), 'INVALID_OPTION');
    await rejection(alive.exec(['x'], { env: ['=x'] }), 'INVALID_OPTION');
    await rejection(alive.exec(['missing']), 'PROGRAM_NOT_FOUND');
    await rejection(alive.exec(['text']), 'PROGRAM_NOT_EXECUTABLE');
    assert.equal(alive.status, 'running');
    assert.equal(launcher.launches.length, 4, 'bad options start nothing');
  });
});

describe('bounds of buffered output', () => {
  test('too much of it ends the process and is told with the stream', async (context) => {
    const { container } = await running(context, { programs: { yes } });
    const { data } = await rejection(container.exec(['yes'], { maxOutputBytes: 50_000 }), 'OUTPUT_TOO_LARGE');
    assert.deepEqual(data, { stream: 'stdout', maxBytes: 50_000 });
    const errors = await rejection(container.exec(['flood', '60'], { maxOutputBytes: 59_999 }), 'OUTPUT_TOO_LARGE');
    assert.ok(['stdout', 'stderr'].includes(errors.data.stream));
  });

  test('exactly as much is fine', async (context) => {
    const { container } = await running(context);
    const result = await container.exec(['flood', '60'], { maxOutputBytes: 60_000 });
    assert.deepEqual([result.stdout.length, result.stderr.length, result.exitCode], [60_000, 60_000, 0]);
    assert.equal((await container.exec(['exit', '0'], { maxOutputBytes: 0 })).exitCode, 0);
  });

  test('a timeout ends the process and is told with its length', async (context) => {
    const { container, engine } = await running(context);
    const { data } = await rejection(container.exec(['hang'], { timeoutMs: 20 }), 'RUN_TIMEOUT');
    assert.deepEqual(data, { id: container.id, timeoutMs: 20 });
    await rejection(engine.run('test', ['hang'], { timeoutMs: 20 }), 'RUN_TIMEOUT');
    assert.equal((await engine.containers.list()).length, 1, 'the container of the run is gone');
  });

  test('a timeout that is not reached changes nothing, however long it is', async (context) => {
    const { container } = await running(context);
    for (const timeoutMs of [60_000, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
      assert.equal((await container.exec(['exit', '1'], { timeoutMs })).exitCode, 1);
    }
  });

  test('values out of range start nothing', async (context) => {
    const { container, launcher } = await running(context);
    for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const timeout = await rejection(container.exec(['exit', '0'], { timeoutMs: value }), 'INVALID_OPTION');
      assert.equal(timeout.data.option, 'timeoutMs');
      const size = await rejection(container.exec(['exit', '0'], { maxOutputBytes: value }), 'INVALID_OPTION');
      assert.equal(size.data.option, 'maxOutputBytes');
    }
    assert.equal(launcher.launches.length, 1);
  });

  test('an abort ends the process and is thrown as it is', async (context) => {
    let started: () => void = () => undefined;
    const isRunning = new Promise<void>((resolve) => {
      started = resolve;
    });
    const { container, engine } = await running(context, {
      programs: {
        signalling: async ({ ended }) => {
          started();
          await once(ended, 'abort');
          return 0;
        },
      },
    });
    const reason = new Error('changed my mind');
    const controller = new AbortController();
    const pending = container.exec(['signalling'], { signal: controller.signal });
    await isRunning;
    controller.abort(reason);
    await assert.rejects(pending, (error) => error === reason);
    await assert.rejects(engine.run('test', ['hang'], { signal: controller.signal }), (error) => error === reason);
    assert.equal((await engine.containers.list()).length, 1);
    assert.equal(container.status, 'running');
  });

  test('a stray child that holds the pipes open does not hold the result', async (context) => {
    let end: () => void = () => undefined;
    const { container } = await running(context, {
      programs: {
        forking: ({ stdout, background }) => {
          background(new Promise((resolve) => (end = resolve)));
          stdout.write('said before the end');
          return 4;
        },
      },
    });
    const result = await container.exec(['forking'], { input: Buffer.alloc(1_000_000), timeoutMs: 30_000 });
    assert.deepEqual([result.exitCode, result.stdout], [4, 'said before the end']);
    end();
  });
});

describe('spawn', () => {
  test('gives streams, and ends with its scope', async (context) => {
    const { container } = await running(context);
    let ended: Promise<{ readonly signal: string | undefined }>;
    {
      await using process = await container.spawn(['copy']);
      process.stdin?.write('hello');
      const [chunk] = (await once(process.stdout ?? assert.fail(), 'data')) as [Buffer];
      assert.equal(String(chunk), 'hello');
      assert.ok(process.stderr !== undefined && process.pid > 0);
      ended = process.wait();
    }
    assert.equal((await ended).signal, 'SIGKILL');
  });

  test('a terminal has a size that is one', async (context) => {
    const { container, launcher } = await running(context);
    const process = await container.spawn(['terminal'], { tty: { columns: 80, rows: 24 } });
    assert.equal(process.stderr, undefined);
    const environment = launcher.launches.at(-1)?.plan.child.at(-1);
    assert.ok(environment?.op === 'execute' && environment.environment.includes('TERM=xterm'));
    process.resize({ columns: 1, rows: 65_535 });
    assert.equal((await process.wait()).exitCode, 5);
    assert.equal(process.kill(), false);
    for (const tty of [
      { columns: -1, rows: 1 },
      { columns: 1, rows: 65_536 },
      { columns: 1.5, rows: 1 },
      {} as never,
    ]) {
      await rejection(container.spawn(['terminal'], { tty }), 'INVALID_OPTION');
    }
  });
});
