import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LineBlock, LogLines } from '#lib/container/log-lines.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { decodeLogRecord, type LogRecord, MAX_LOG_RECORD_BYTES } from '#lib/runtime/log-record.js';

const time = 1_700_000_000_000_000_000n;
const record = (text: string | Buffer, stream: LogRecord['stream'] = 'stdout'): LogRecord => {
  return { stream, time, bytes: Buffer.from(text as Buffer) };
};

function linesOf(...records: readonly LogRecord[]): string[] {
  const lines = new LogLines();
  const all: LineBlock[] = records.flatMap((each) => [...lines.push(each)]);
  return [...all, ...lines.end()].flatMap(({ stream, texts }) =>
    texts.map((text) => `${stream === 'stdout' ? '' : '! '}${text}`),
  );
}

test('records are joined to lines', () => {
  assert.deepEqual(linesOf(record('a\nb'), record('c\n'), record('d')), ['a', 'bc', 'd']);
});

test('empty lines are lines, and the last break makes none', () => {
  assert.deepEqual(linesOf(record('\n\na\n')), ['', '', 'a']);
  assert.deepEqual(linesOf(record('')), []);
});

test('the streams do not mix within a line', () => {
  assert.deepEqual(linesOf(record('one '), record('err\n', 'stderr'), record('line\n')), ['! err', 'one line']);
});

test('a character that was cut in two is whole again', () => {
  const bytes = Buffer.from('für\n');
  assert.deepEqual(linesOf(record(bytes.subarray(0, 2)), record(bytes.subarray(2))), ['für']);
  assert.deepEqual(linesOf(record(Buffer.from([0x61, 0xff, 0x0a]))), ['a\ufffd']);
});

test('a line without end comes in pieces of bounded size', () => {
  const piece = 'x'.repeat(64 * 1024);
  const lines = linesOf(...Array.from({ length: 40 }, () => record(piece)));
  assert.equal(lines.join('').length, 40 * piece.length);
  assert.ok(lines.length > 1 && lines.every((line) => line.length <= 1024 * 1024 + piece.length));
});

function encode(text: string, stream = 1, length = text.length): Buffer {
  const bytes = Buffer.alloc(16 + text.length + 4);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt8(stream, 4);
  bytes.writeBigUInt64LE(1_700_000_000_123_456_789n, 8);
  bytes.write(text, 16);
  bytes.writeUInt32LE(length, 16 + text.length);
  return bytes;
}

test('a record is decoded once it is there entirely', () => {
  const whole = encode('hello', 2);
  for (let size = 0; size < whole.length; size++) {
    assert.equal(decodeLogRecord(whole.subarray(0, size), '/log'), undefined, `${size} bytes`);
  }
  const decoded = decodeLogRecord(Buffer.concat([whole, whole]), '/log');
  assert.equal(decoded?.size, whole.length);
  assert.deepEqual(decoded?.record, {
    stream: 'stderr',
    time: 1_700_000_000_123_456_789n,
    bytes: Buffer.from('hello'),
  });
});

test('a record that is none is refused with the file', () => {
  for (const bytes of [
    encode('x', 3),
    encode('x', 4),
    encode('x', 0),
    encode('x', 1, MAX_LOG_RECORD_BYTES + 1),
    Buffer.alloc(16),
  ]) {
    assert.throws(
      () => decodeLogRecord(bytes, '/log'),
      (error) => EngineError.is(error, 'CORRUPT_RECORD') && error.data.path === '/log',
    );
  }
});
