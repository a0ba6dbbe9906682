import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { ControlChannel, type ShimMessage } from '#lib/runtime/shim/control-channel.js';
import { frameTypes } from '#lib/runtime/shim/frames.js';
import { WireReader } from '#lib/runtime/wire-reader.js';
import { WireWriter } from '#lib/runtime/wire-writer.js';
import { nativeConstant } from '../../../helpers/native-operations.js';
import { scopedDirectory } from '../../../helpers/scoped-directory.js';

interface Line {
  readonly channel: ControlChannel;
  /** The shim's side. */
  readonly shim: Socket;
  readonly messages: readonly ShimMessage[];
  readonly ends: readonly (EngineError | undefined)[];
  readonly ended: Promise<void>;
}

async function open(context: TestContext): Promise<Line> {
  const path = join(await scopedDirectory(context), 'socket');
  const server = createServer().listen(path);
  const arrived = once(server, 'connection') as Promise<[Socket]>;
  const mine = connect(path);
  const [shim] = await arrived;
  context.after(() => {
    mine.destroy();
    shim.destroy();
    server.close();
  });
  shim.on('error', () => undefined);
  const messages: ShimMessage[] = [];
  const ends: (EngineError | undefined)[] = [];
  let resolve: () => void = () => undefined;
  const ended = new Promise<void>((settle) => {
    resolve = settle;
  });
  const channel = new ControlChannel(
    mine,
    (message) => messages.push(message),
    (error) => {
      ends.push(error);
      resolve();
    },
  );
  return { channel, shim, messages, ends, ended };
}

function frame(type: number, body: WireWriter = new WireWriter(), size = body.size): Buffer {
  return Buffer.concat([new WireWriter().u32(size).u32(type).toBytes(), body.toBytes()]);
}

const started = (): Buffer => frame(16, new WireWriter().u32(42).u64(2n ** 40n));
const exited = (code: number, signal: number, oom: number): Buffer =>
  frame(18, new WireWriter().u32(code).u32(signal).u32(oom).u64(1_700_000_000_123_456_789n));
const failed = (type: number, errno: number): Buffer =>
  frame(type, new WireWriter().u32(2).u32(3).u32(errno).string('open').string('/é'));

test('the frames have the numbers that the shim knows', () => {
  for (const [name, number] of Object.entries(frameTypes)) {
    const native = name.replace(/[A-Z]/g, '_$&').toUpperCase();
    assert.equal(nativeConstant('control.h', `TSC_FRAME_${native}`), String(number), name);
  }
});

test('messages of the shim arrive decoded', async (context) => {
  const { shim, messages, ended } = await open(context);
  shim.end(
    Buffer.concat([started(), failed(17, 2), exited(137, 9, 1), exited(0, 0, 0), failed(19, 0), failed(19, 16)]),
  );
  await ended;
  const finishedAt = new Date(1_700_000_000_123);
  const failure = { section: 2, index: 3, errno: 2, syscall: 'open', operand: '/é' };
  assert.deepEqual(messages, [
    { type: 'started', identity: { pid: 42, startTicks: 2n ** 40n } },
    { type: 'failed', failure },
    { type: 'exited', status: { exitCode: 137, signal: 'SIGKILL', oomKilled: true, finishedAt } },
    { type: 'exited', status: { exitCode: 0, signal: undefined, oomKilled: false, finishedAt } },
    { type: 'cleaned', failure: undefined },
    { type: 'cleaned', failure: { ...failure, errno: 16 } },
  ]);
});

test('frames arrive whole however the stream is cut', async (context) => {
  const stream = Buffer.concat([started(), failed(17, 2), exited(1, 0, 0)]);
  const { shim, messages, ended } = await open(context);
  shim.setNoDelay(true);
  for (const byte of stream) {
    await new Promise<void>((resolve) => shim.write(Uint8Array.of(byte), () => resolve()));
    await new Promise((resolve) => setImmediate(resolve));
  }
  shim.end();
  await ended;
  assert.deepEqual(
    messages.map(({ type }) => type),
    ['started', 'failed', 'exited'],
  );
});

test('the end of the channel is told once, without an error', async (context) => {
  const { shim, ends, ended, channel } = await open(context);
  shim.end();
  await ended;
  channel.signal(9); // into a closed channel: nothing happens
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(ends, [undefined]);
});

const hostile: Readonly<Record<string, Buffer>> = {
  'a frame of 4 GiB': Buffer.from('ffffffff10000000', 'hex'),
  'a frame just above the bound': frame(16, new WireWriter(), 4097),
  'a frame of unknown type': frame(99),
  'a message of the library': frame(1),
  'a cut message': frame(16, new WireWriter().u32(1)),
  'a string longer than its frame': frame(17, new WireWriter().u32(0).u32(0).u32(0).u32(0xffff_ffff)),
};

for (const [name, bytes] of Object.entries(hostile)) {
  test(`${name} ends the channel with an error and gives no message`, async (context) => {
    const { shim, messages, ends, ended } = await open(context);
    shim.write(bytes);
    await ended;
    assert.deepEqual(messages, []);
    assert.equal(ends.length, 1);
    assert.ok(EngineError.is(ends[0], 'SHIM_FAILED'), String(ends[0]));
    await once(shim, 'close'); // the channel was closed: an owned container ends
  });
}

test('what came before nonsense counts', async (context) => {
  const { shim, messages, ended } = await open(context);
  shim.write(Buffer.concat([started(), frame(99), started()]));
  await ended;
  assert.deepEqual(
    messages.map(({ type }) => type),
    ['started'],
  );
});

test('requests of the library are frames', async (context) => {
  const { channel, shim } = await open(context);
  const log = { prefix: '/l.', maxBytes: 2 ** 33, maxFiles: 7, files: [0n, 2n ** 40n] };
  const restart = { policy: 2, maxRetries: 5, stopFile: '/s', restartFile: '/r' };
  const journal = { file: '/j', subject: '"id":"1"' };
  channel.launch(3, { process: '/p', exit: '/e', log, oom: '/o', restart, journal }, Uint8Array.of(9, 8));
  channel.signal(15);
  channel.resize(80, 24);
  channel.release();
  const wanted = [
    new WireWriter()
      .u32(3)
      .string('/p')
      .string('/e')
      .string('/o')
      .string('/l.')
      .u64(2n ** 33n)
      .u32(7),
    new WireWriter().u32(15),
    new WireWriter().u32(80).u32(24),
    new WireWriter(),
  ];
  wanted[0]
    ?.u32(16)
    .u64(0n)
    .u64(2n ** 40n)
    .u32(2)
    .u32(5)
    .string('/s')
    .string('/r')
    .string('/j')
    .string('"id":"1"')
    .bytes(Uint8Array.of(9, 8));
  const expected = Buffer.concat(wanted.map((body, index) => frame(index + 1, body)));
  let received = Buffer.alloc(0);
  for await (const chunk of shim) {
    received = Buffer.concat([received, chunk as Buffer]);
    if (received.length >= expected.length) break;
  }
  assert.equal(received.toString('hex'), expected.toString('hex'));
  assert.equal(new WireReader(received).u32(), wanted[0]?.size);
});
