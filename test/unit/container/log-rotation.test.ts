import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { containerFiles } from '#lib/container/container-files.js';
import type { LogLine } from '#lib/container/log-lines.js';
import { logFiles } from '#lib/runtime/log-files.js';
import type { MemoryProgram } from '#lib/runtime/memory/memory-program.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

const log = { maxBytes: 128 * 1024, maxFiles: 3 };

/** Prints so many numbered lines. */
const count: MemoryProgram = async ({ arguments: words, stdout }) => {
  for (let line = 1; line <= Number(words[1]); line += 100) {
    const lines = Array.from({ length: 100 }, (_, index) => `line ${line + index} ${'.'.repeat(60)}\n`).join('');
    if (!stdout.write(lines)) await once(stdout, 'drain');
  }
};

test('no more than so many files are kept, each no larger than asked for, over restarts too', async (context) => {
  const { create, services } = await openMemoryLab(context, { programs: { count } });
  const container = await create(['count', '10000'], { log });
  const { logPrefix } = containerFiles(services.layout, container.id);
  for (let round = 1; round <= 3; round++) {
    await container.start();
    await container.wait();
    assert.ok(logFiles(logPrefix).length <= 3);
    const numbers: number[] = [];
    for await (const { text } of container.logs()) numbers.push(Number(text.split(' ')[1]));
    assert.equal(numbers.at(-1), 10_000);
    const begin = numbers[0] ?? 0;
    assert.ok(numbers.length > 2000 && numbers.length < 6000, `${numbers.length} lines`);
    assert.ok(numbers.every((number, index) => number === ((begin + index - 1) % 10_000) + 1));
  }
});

test('without a log there are no lines, and no files', async (context) => {
  const { create, services } = await openMemoryLab(context, { programs: { count } });
  const container = await create(['count', '100'], { log: 'none' });
  await container.start();
  await container.wait();
  for await (const line of container.logs({ follow: true })) assert.fail(line.text);
  assert.deepEqual(logFiles(containerFiles(services.layout, container.id).logPrefix), []);
});

test('a function gets each line of each run once, and logs() reads them still', async (context) => {
  const { create, engine } = await openMemoryLab(context, { programs: { count } });
  const lines: LogLine[] = [];
  engine.on('container.logFailed', ({ error }) => assert.fail(String(error)));
  const container = await create(['count', '500'], { log: (line) => void lines.push(line) });
  for (let round = 1; round <= 2; round++) {
    await container.start();
    await container.wait();
    await container.stop(); // settled: the function has got everything
    assert.equal(lines.length, round * 500);
  }
  assert.ok(
    lines.every(({ text, stream }, index) => stream === 'stdout' && text.startsWith(`line ${(index % 500) + 1} `)),
  );
  let read = 0;
  for await (const _ of container.logs()) read += 1;
  assert.equal(read, 1000);
});

test('a function that throws fails alone', async (context) => {
  const { create } = await openMemoryLab(context, { programs: { count } });
  const uncaught: unknown[] = [];
  const catchAll = (error: unknown): void => void uncaught.push(error);
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', catchAll);
  context.after(() => {
    process.off('uncaughtException', catchAll);
    for (const each of others) process.on('uncaughtException', each);
  });
  let lines = 0;
  const container = await create(['count', '100'], {
    log: () => {
      lines += 1;
      if (lines === 50) throw new Error('of the listener');
    },
  });
  await container.start();
  await container.wait();
  await container.stop();
  assert.equal(lines, 100);
  assert.match(String(uncaught[0]), /of the listener/);
});

test('logs that make no sense are refused', async (context) => {
  const { create } = await openMemoryLab(context);
  const refused: readonly [unknown, string][] = [
    ['json-file', 'log'],
    [{ maxBytes: '127k' }, 'log.maxBytes'],
    [{ maxBytes: 'many' }, 'log.maxBytes'],
    [{ maxFiles: 0 }, 'log.maxFiles'],
    [{ maxFiles: 101 }, 'log.maxFiles'],
    [{ maxFiles: 1.5 }, 'log.maxFiles'],
    [{ format: 'json' }, 'log.format'],
    [7, 'log'],
  ];
  for (const [value, option] of refused) {
    const error = await rejection(create(['hang'], { log: value as 'none' }), 'INVALID_OPTION');
    assert.equal(error.data.option, option);
  }
  const terminals: readonly [object, string][] = [
    [{ tty: 'yes' }, 'tty'],
    [{ tty: { columns: -1, rows: 1 } }, 'tty.columns'],
    [{ tty: { columns: 1 } }, 'tty.rows'],
    [{ openStdin: 'yes' }, 'openStdin'],
    [{ stdinOnce: true }, 'stdinOnce'],
  ];
  for (const [options, option] of terminals) {
    assert.equal((await rejection(create(['hang'], options), 'INVALID_OPTION')).data.option, option);
  }
});
