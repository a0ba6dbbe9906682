import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Container } from '#lib/container/container.js';
import { containerFiles } from '#lib/container/container-files.js';
import { timestamp } from '#lib/container/log-line-iterator.js';
import type { LogOptions } from '#lib/container/log-options.js';
import { logFile } from '#lib/runtime/log-files.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

type Piece = readonly [seconds: number, text: string, stream?: 'stdout' | 'stderr' | 'gap'];

const START = 1_700_000_000;

/** A container whose log holds these pieces, each file beginning with the next list. */
async function logged(context: TestContext, ...files: readonly (readonly Piece[])[]): Promise<Container> {
  const { create, services } = await openMemoryLab(context);
  const container = await create(['hang']);
  const { logPrefix } = containerFiles(services.layout, container.id);
  mkdirSync(dirname(logPrefix), { recursive: true });
  let position = 0n;
  for (const pieces of files) {
    const bytes = Buffer.concat(pieces.map(record));
    writeFileSync(logFile(logPrefix, position), bytes);
    position += BigInt(bytes.length);
  }
  return container;
}

function record([seconds, text, stream = 'stdout']: Piece): Buffer {
  const bytes = stream === 'gap' ? Buffer.from(BigUint64Array.of(BigInt(text)).buffer) : Buffer.from(text);
  const whole = Buffer.alloc(20 + bytes.length);
  whole.writeUInt32LE(bytes.length, 0);
  whole.writeUInt8(['', 'stdout', 'stderr', 'gap'].indexOf(stream), 4);
  whole.writeBigUInt64LE(BigInt(START + seconds) * 1_000_000_000n + 123_456_789n, 8);
  bytes.copy(whole, 16);
  whole.writeUInt32LE(bytes.length, 16 + bytes.length);
  return whole;
}

async function read(container: Container, options: LogOptions = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const { stream, text } of container.logs(options)) lines.push(stream === 'stdout' ? text : `! ${text}`);
  return lines;
}

const at = (seconds: number): Date => new Date((START + seconds) * 1000);

test('since and until choose by time, both ends included', async (context) => {
  const container = await logged(
    context,
    [
      [0, 'a\n'],
      [1, 'b\n'],
    ],
    [
      [2, 'c\n'],
      [3, 'd\n'],
    ],
  );
  assert.deepEqual(await read(container, { since: at(1) }), ['b', 'c', 'd']);
  assert.deepEqual(await read(container, { until: at(2) }), ['a', 'b'], 'the time has fractions');
  assert.deepEqual(await read(container, { until: new Date(at(2).getTime() + 123) }), ['a', 'b', 'c']);
  assert.deepEqual(await read(container, { since: new Date(at(1).getTime() + 123), until: at(3) }), ['b', 'c']);
  assert.deepEqual(await read(container, { since: at(9) }), []);
  assert.deepEqual(await read(container, { until: at(-9) }), []);
});

test('streams are chosen, and the tail counts only what is chosen', async (context) => {
  const pieces: Piece[] = Array.from({ length: 20 }, (_, index) => {
    return [index, `${index}\n`, index % 5 === 0 ? 'stderr' : 'stdout'];
  });
  const container = await logged(context, pieces.slice(0, 7), pieces.slice(7, 14), pieces.slice(14));
  assert.deepEqual(await read(container, { stdout: false }), ['! 0', '! 5', '! 10', '! 15']);
  assert.deepEqual(await read(container, { stdout: false, tail: 2 }), ['! 10', '! 15']);
  assert.deepEqual(await read(container, { stderr: false, tail: 2 }), ['18', '19']);
  assert.deepEqual(await read(container, { tail: 2 }), ['18', '19']);
  assert.deepEqual(await read(container, { tail: 3, since: at(3), until: at(9) }), ['6', '7', '8']);
  assert.deepEqual(await read(container, { tail: 100, since: at(17) }), ['17', '18', '19']);
  assert.deepEqual(await read(container, { stdout: false, stderr: false }), []);
});

test('a line of the tail is whole, however early it began', async (context) => {
  const others: Piece[] = Array.from({ length: 50 }, (_, index) => [index + 2, `line ${index}\n`]);
  const container = await logged(
    context,
    [[0, 'before\nlong ', 'stderr'], [1, 'story ', 'stderr'], ...others.slice(0, 20)],
    [...others.slice(20), [60, 'ends\n', 'stderr'], [61, 'last\n']],
  );
  assert.deepEqual(await read(container, { tail: 3 }), ['line 49', '! long story ends', 'last']);
  assert.deepEqual(await read(container, { tail: 1, stdout: false }), ['! long story ends']);
  assert.deepEqual(await read(container, { tail: 2, stdout: false }), ['! before', '! long story ends']);
});

test('each tail is the end of all lines, wherever they were cut', async (context) => {
  const text = Array.from({ length: 40 }, (_, index) => 'x'.repeat(index % 7) + index).join('\n');
  for (const size of [1, 2, 3, 5, 8, 13, 100]) {
    const pieces: Piece[] = [];
    for (let start = 0; start < text.length; start += size) {
      pieces.push([start, text.slice(start, start + size), start % 3 === 0 ? 'stderr' : 'stdout']);
    }
    pieces.push([900, '\n', 'stderr'], [901, '\n']);
    const container = await logged(context, pieces.slice(0, 5), pieces.slice(5, 9), pieces.slice(9));
    const all = await read(container);
    for (const tail of [1, 2, 3, 7, all.length - 1, all.length, all.length + 1]) {
      assert.deepEqual(await read(container, { tail }), all.slice(-tail), `${tail} of pieces of ${size}`);
    }
  }
});

test('timestamps have nanoseconds, and are before each line', async (context) => {
  const container = await logged(context, [[0, 'one\ntwo\n']]);
  const stamp = '2023-11-14T22:13:20.123456789Z';
  assert.deepEqual(await read(container, { timestamps: true }), [`${stamp} one`, `${stamp} two`]);
  assert.equal(timestamp(5n), '1970-01-01T00:00:00.000000005Z');
});

test('what has no line break is marked as partial', async (context) => {
  const container = await logged(context, [
    [0, 'whole\n'],
    [1, `${'x'.repeat(60_000)}`],
    [2, 'y\nlast'],
  ]);
  const lines: [number, boolean][] = [];
  for await (const { text, partial } of container.logs()) lines.push([text.length, partial]);
  assert.deepEqual(lines, [
    [5, false],
    [60_001, false],
    [4, true],
  ]);
});

test('gaps are told to whoever asks, and lines around them are read', async (context) => {
  const container = await logged(context, [
    [0, 'before\n'],
    [1, '500', 'gap'],
    [2, 'after\n'],
    [3, '7', 'gap'],
  ]);
  const lost: number[] = [];
  const onLost = (bytes: number): void => void lost.push(bytes);
  assert.deepEqual(await read(container, { onLost }), ['before', 'after']);
  assert.deepEqual(lost, [500, 7]);
  assert.deepEqual(await read(container), ['before', 'after']);
  assert.deepEqual(await read(container, { tail: 1 }), ['after']);
});

test('files that are missing in the middle are an error, or told', async (context) => {
  const { create, services } = await openMemoryLab(context);
  const container = await create(['hang']);
  const { logPrefix } = containerFiles(services.layout, container.id);
  writeFileSync(logFile(logPrefix, 0n), record([0, 'one\n']));
  writeFileSync(logFile(logPrefix, 1000n), record([1, 'two\n']));
  assert.equal((await rejection(read(container), 'LOG_OVERRUN')).data.lostBytes, 1000 - 24);
  const lost: number[] = [];
  assert.deepEqual(await read(container, { onLost: (bytes) => lost.push(bytes) }), ['one', 'two']);
  assert.deepEqual(lost, [1000 - 24]);
});

test('the form of Docker’s json-file', async (context) => {
  const container = await logged(context, [
    [0, 'say "hi"\n\u0001\ttab\n'],
    [1, 'err\n', 'stderr'],
    [2, 'no end'],
  ]);
  const lines: string[] = [];
  for await (const line of container.jsonFileLogs()) lines.push(line);
  assert.equal(lines[0], '{"log":"say \\"hi\\"\\n","stream":"stdout","time":"2023-11-14T22:13:20.123456789Z"}\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)).map(({ log, stream }) => [log, stream]),
    [
      ['say "hi"\n', 'stdout'],
      ['\u0001\ttab\n', 'stdout'],
      ['err\n', 'stderr'],
      ['no end', 'stdout'],
    ],
  );
});

test('options that make no sense are refused', async (context) => {
  const container = await logged(context, []);
  const refused: Readonly<Record<string, unknown>> = {
    since: new Date(Number.NaN),
    until: '2024-01-01',
    stdout: 'yes',
    follow: 1,
    timestamps: 'RFC3339',
    onLost: true,
  };
  for (const [option, value] of Object.entries(refused)) {
    const error = await rejection(read(container, { [option]: value } as LogOptions), 'INVALID_OPTION');
    assert.equal(error.data.option, option);
  }
});
