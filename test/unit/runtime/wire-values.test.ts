import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { WireReader } from '#lib/runtime/wire-reader.js';
import { WireWriter } from '#lib/runtime/wire-writer.js';

const isCutOff = (error: unknown): boolean => EngineError.is(error, 'SHIM_FAILED');

test('what the writer writes the reader reads', () => {
  const bytes = new WireWriter()
    .u32(7)
    .u64(2n ** 63n)
    .string('naïve')
    .u32(2 ** 32 - 1)
    .toBytes();
  const reader = new WireReader(bytes);
  assert.deepEqual([reader.u32(), reader.u64(), reader.string(), reader.u32()], [7, 2n ** 63n, 'naïve', 2 ** 32 - 1]);
});

test('numbers are little-endian', () => {
  assert.equal(new WireWriter().u16(0x0102).u32(0x03040506).toBytes().toString('hex'), '020106050403');
});

test('negative numbers wrap as the kernel reads them', () => {
  assert.equal(new WireWriter().u32(-1).u64(-1n).toBytes().toString('hex'), 'f'.repeat(24));
});

test('a size that is known at the end is written over its place', () => {
  const writer = new WireWriter().u32(0).string('abc');
  assert.equal(writer.patchU32(0, writer.size).toBytes().readUInt32LE(0), 12);
});

test('every cut of a message is noticed', () => {
  const whole = new WireWriter().u32(1).u64(2n).string('three').toBytes();
  for (let size = 0; size < whole.length; size++) {
    const reader = new WireReader(whole.subarray(0, size));
    assert.throws(() => [reader.u32(), reader.u64(), reader.string()], isCutOff, `cut to ${size} bytes`);
  }
});

test('a length beyond the message is not believed', () => {
  for (const length of [4, 0x7fff_ffff, 0xffff_ffff]) {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE(length, 0);
    assert.throws(() => new WireReader(bytes).string(), isCutOff);
  }
});
