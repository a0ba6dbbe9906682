import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { BadCompression, decompress } from '#lib/layers/compression/decompress.js';
import { rleFrame, skippableFrame, storedFrame } from '../../../helpers/zstd-frames.js';

async function* pieces(data: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

async function all(data: Buffer, options: object = {}, size = 1000): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompress(pieces(data, size), { what: 'layer', ...options })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const text = Buffer.from('the quick brown fox '.repeat(5000));

test('a plain stream passes through, however short', async () => {
  for (const data of [Buffer.alloc(0), Buffer.from('ab'), text]) assert.deepEqual(await all(data), data);
});

test('gzip is recognised when its magic comes byte by byte', async () => {
  assert.deepEqual(await all(gzipSync(text), {}, 1), text);
});

test('all members of a gzip stream are read', async () => {
  assert.deepEqual(
    await all(Buffer.concat([gzipSync(text), gzipSync('more')])),
    Buffer.concat([text, Buffer.from('more')]),
  );
});

test('all frames of a zstd stream are read, skippable ones are skipped wherever they are', async () => {
  const stream = Buffer.concat([
    skippableFrame(70_000),
    storedFrame(text),
    skippableFrame(0),
    rleFrame('z', 100_000),
    storedFrame(Buffer.from('end'), { checksum: true }),
    skippableFrame(5),
  ]);
  const expected = Buffer.concat([text, Buffer.alloc(100_000, 'z'), Buffer.from('end')]);
  for (const size of [97, 1000, stream.length])
    assert.ok((await all(stream, {}, size)).equals(expected), `pieces of ${size}`);
});

const broken: Record<string, Buffer> = {
  'cut gzip': gzipSync(text).subarray(0, 100),
  'gzip with a wrong checksum': Buffer.concat([gzipSync(text).subarray(0, -8), Buffer.alloc(8)]),
  'cut zstd': storedFrame(text).subarray(0, 5000),
  'zstd cut between blocks': storedFrame(text, { last: false }),
  'zstd with garbage behind it': Buffer.concat([storedFrame(text), Buffer.from('garbage')]),
  'zstd with a reserved block': Buffer.concat([storedFrame(Buffer.alloc(0)).subarray(0, 6), Buffer.from([7, 0, 0])]),
  'zstd with a window of 1 GiB': Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 1, 0, 0]),
};

for (const [what, data] of Object.entries(broken)) {
  test(`${what} is bad compression`, async () => {
    await assert.rejects(all(data), BadCompression);
  });
}

test('a failure of the source stays what it is, also inside a compressed stream', async () => {
  const reason = new Error('connection lost');
  for (const start of [gzipSync(text).subarray(0, 50), storedFrame(text).subarray(0, 5000), text]) {
    async function* source(): AsyncGenerator<Uint8Array> {
      yield start;
      throw reason;
    }
    await assert.rejects(async () => {
      for await (const _ of decompress(source(), { what: 'layer' }));
    }, reason);
  }
});

test('a stream above the bound is too large, in every format', async () => {
  for (const data of [text, gzipSync(text), storedFrame(text)])
    await assert.rejects(all(data, { maxBytes: text.length - 1 }), (error) => EngineError.is(error, 'TOO_LARGE'));
  assert.deepEqual(await all(gzipSync(text), { maxBytes: text.length }), text);
});

test('a zstd bomb is stopped by its ratio', async () => {
  const bomb = Buffer.concat(Array.from({ length: 300 }, () => rleFrame('z', 128 * 1024)));
  await assert.rejects(all(bomb, { ratioFreeBytes: 1024 * 1024 }), (error) => EngineError.is(error, 'TOO_LARGE'));
});

test('a reader that stops early closes the source', async () => {
  for (const data of [text, gzipSync(Buffer.concat([text, text])), storedFrame(text)]) {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* pieces(data, 100);
      } finally {
        closed = true;
      }
    }
    for await (const _ of decompress(source(), { what: 'layer' })) break;
    assert.equal(closed, true);
  }
});
