import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Container } from '#lib/container/container.js';
import type { LogOptions } from '#lib/container/log-options.js';
import { type MemoryLab, openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

interface Speaker extends MemoryLab {
  readonly container: Container;
  /** Lets the program write, and waits until it has. */
  say(text: string, stream?: 'stdout' | 'stderr'): Promise<void>;
  finish(): void;
}

/** A container that says what the test wants. */
async function speaking(context: TestContext): Promise<Speaker> {
  const streams: { stdout?: NodeJS.WritableStream; stderr?: NodeJS.WritableStream } = {};
  let finish: (code: number) => void = () => undefined;
  const lab = await openMemoryLab(context, {
    programs: {
      speaker: ({ stdout, stderr }) => {
        Object.assign(streams, { stdout, stderr });
        return new Promise<number>((resolve) => {
          finish = resolve;
        });
      },
    },
  });
  const container = await lab.create(['speaker']);
  await container.start();
  return {
    ...lab,
    container,
    say: (text, stream = 'stdout') => new Promise((resolve) => streams[stream]?.write(text, () => resolve())),
    finish: () => finish(0),
  };
}

async function read(container: Container, options: LogOptions = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const { stream, text } of container.logs(options)) lines.push(stream === 'stdout' ? text : `! ${text}`);
  return lines;
}

test('what was said so far, then no more', async (context) => {
  const { container, say, finish } = await speaking(context);
  assert.deepEqual(await read(container), []);
  await say('one\ntw');
  await say('oops\n', 'stderr');
  assert.deepEqual(await read(container), ['one', '! oops', 'tw']);
  await say('o\n');
  finish();
  await container.wait();
  assert.deepEqual(await read(container), ['one', '! oops', 'two']);
});

test('lines have the time when they were read', async (context) => {
  const { container, say } = await speaking(context);
  await say('now\n');
  for await (const { at } of container.logs()) assert.ok(Math.abs(at.getTime() - Date.now()) < 60_000);
});

test('a container that was never started has no lines, followed or not', async (context) => {
  const { create } = await openMemoryLab(context);
  const container = await create(['hang']);
  assert.deepEqual(await read(container), []);
  assert.deepEqual(await read(container, { follow: true }), []);
});

test('following sees everything until the end, and ends with it', async (context) => {
  const { container, say, finish } = await speaking(context);
  await say('before\n');
  const seen: string[] = [];
  const following = (async () => {
    for await (const { text } of container.logs({ follow: true })) {
      seen.push(text);
      if (text === 'before') await say('while\n');
      if (text === 'while') {
        await say('last words');
        finish();
      }
    }
  })();
  await following;
  assert.deepEqual(seen, ['before', 'while', 'last words']);
});

test('the tail is the last lines, counted across records and streams', async (context) => {
  const { container, say } = await speaking(context);
  for (let index = 1; index <= 50; index++) await say(`line ${index}\n`, index % 2 === 0 ? 'stdout' : 'stderr');
  assert.deepEqual(await read(container, { tail: 3 }), ['line 48', '! line 49', 'line 50']);
  assert.deepEqual(await read(container, { tail: 0 }), []);
  assert.equal((await read(container, { tail: 50 })).length, 50);
  assert.equal((await read(container, { tail: 1000 })).length, 50);
});

test('a line of many records is one line of the tail', async (context) => {
  const { container, say } = await speaking(context);
  await say('first\n');
  for (const part of ['a', 'b', 'c']) await say(part);
  await say('\n');
  assert.deepEqual(await read(container, { tail: 1 }), ['abc']);
  assert.deepEqual(await read(container, { tail: 2 }), ['first', 'abc']);
});

test('an unfinished line is the last line of the tail', async (context) => {
  const { container, say, finish } = await speaking(context);
  await say('one\ntwo\nthr');
  finish();
  await container.wait();
  assert.deepEqual(await read(container, { tail: 1 }), ['thr']);
  assert.deepEqual(await read(container, { tail: 2 }), ['two', 'thr']);
});

test('tail and follow: the last lines, then what comes', async (context) => {
  const { container, say, finish } = await speaking(context);
  await say('1\n2\n3\n');
  const seen: string[] = [];
  for await (const { text } of container.logs({ follow: true, tail: 1 })) {
    seen.push(text);
    if (text === '3') await say('4\n');
    if (text === '4') finish();
  }
  assert.deepEqual(seen, ['3', '4']);
});

test('an abort ends the following with its reason, leaving the loop ends it without', async (context) => {
  const { container, say } = await speaking(context);
  await say('here\n');
  const controller = new AbortController();
  const following = (async () => {
    for await (const _ of container.logs({ follow: true, signal: controller.signal }))
      controller.abort(new Error('enough'));
  })();
  await assert.rejects(following, /enough/);
  for await (const { text } of container.logs({ follow: true })) {
    assert.equal(text, 'here');
    break;
  }
  await assert.rejects(read(container, { signal: AbortSignal.abort(new Error('early')) }), /early/);
});

test('a restarted container goes on in the same log', async (context) => {
  const { create } = await openMemoryLab(context);
  const container = await create(['talk']);
  for (let round = 0; round < 2; round++) {
    await container.start();
    await container.wait();
  }
  assert.deepEqual(await read(container), ['out', '! err', 'out', '! err']);
});

test('a tail that is no number of lines is refused', async (context) => {
  const { container } = await speaking(context);
  for (const tail of [-1, 1.5, Number.NaN]) {
    assert.equal((await rejection(read(container, { tail }), 'INVALID_OPTION')).data.option, 'tail');
  }
});

test('a damaged log is told with its path, and half a record at its end is passed over', async (context) => {
  const { container, say, finish, services } = await speaking(context);
  await say('good\n');
  finish();
  await container.wait();
  const path = join(services.layout.container(container.id), 'log.0000000000000000');
  const whole = readFileSync(path);
  appendFileSync(path, whole.subarray(0, 10)); // the disk was full
  assert.deepEqual(await read(container), ['good']);
  writeFileSync(path, Buffer.alloc(100, 0xff));
  assert.equal((await rejection(read(container), 'CORRUPT_RECORD')).data.path, path);
  assert.equal((await rejection(read(container, { tail: 1 }), 'CORRUPT_RECORD')).data.path, path);
});
