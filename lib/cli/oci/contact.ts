import { closeSync, openSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import type { ShimFailure } from '../../runtime/shim/control-channel.js';
import { WireReader } from '../../runtime/wire-reader.js';
import { WireWriter } from '../../runtime/wire-writer.js';

/** Frames as in native/src/control.h. */
const frames = { signal: 2, start: 5, started: 16, failed: 17, done: 20 };
const HEAD_BYTES = 8;

/** A conversation with the shim of a container that an earlier command has made. */
export interface Contact {
  /** Lets a created container run its program; the failure, if it could not. */
  start(): Promise<ShimFailure | undefined>;
  /** Sends a signal to the container's first process; false when it has ended. */
  signal(number: number): Promise<boolean>;
  /** Resolves when the shim has ended, and so the container. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Undefined when no shim listens: it has ended, or was killed. */
export async function openContact(path: string): Promise<Contact | undefined> {
  const socket = await connect(path);
  if (socket === undefined) return undefined;
  let received = Buffer.alloc(0);
  let waiting: ((answer: { type: number; body: WireReader } | undefined) => void) | undefined;
  const ended = new Promise<void>((resolve) => {
    socket.on('close', () => {
      waiting?.(undefined);
      resolve();
    });
  });
  socket.on('error', () => undefined); // a broken connection is its end
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < HEAD_BYTES || received.length < HEAD_BYTES + received.readUInt32LE(0)) return;
    const size = received.readUInt32LE(0);
    const body = new WireReader(received.subarray(HEAD_BYTES, HEAD_BYTES + size));
    const type = received.readUInt32LE(4);
    received = received.subarray(HEAD_BYTES + size);
    waiting?.({ type, body });
  });
  const ask = async (type: number, body: WireWriter): Promise<{ type: number; body: WireReader } | undefined> => {
    const answer = new Promise<{ type: number; body: WireReader } | undefined>((resolve) => {
      waiting = resolve;
    });
    const head = new WireWriter().u32(body.size).u32(type);
    socket.write(Buffer.concat([head.toBytes(), body.toBytes()]));
    return answer;
  };
  return {
    start: async () => {
      const answer = await ask(frames.start, new WireWriter());
      if (answer?.type === frames.started) return undefined;
      if (answer?.type !== frames.failed)
        throw new EngineError('SHIM_FAILED', { what: 'it ended before the container was started' });
      const { body } = answer;
      return {
        section: body.u32(),
        index: body.u32(),
        errno: body.u32(),
        syscall: body.string(),
        operand: body.string(),
      };
    },
    signal: async (number) => {
      const answer = await ask(frames.signal, new WireWriter().u32(number));
      const errno = answer?.type === frames.done ? answer.body.u32() : ESRCH;
      if (errno !== 0 && errno !== ESRCH)
        throw new EngineError('SYSTEM_CALL_FAILED', {
          syscall: 'pidfd_send_signal',
          errno: String(errno),
          operand: String(number),
          hint: '',
        });
      return errno === 0;
    },
    ended,
    close: () => socket.destroy(),
  };
}

const ESRCH = 3;

/** An address has 108 bytes: a long path goes by a descriptor of its directory. */
async function connect(path: string): Promise<Socket | undefined> {
  const directory = Buffer.byteLength(path) < 108 ? undefined : openSync(dirname(path), 'r');
  const socket = createConnection(directory === undefined ? path : `/proc/self/fd/${directory}/${basename(path)}`);
  try {
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve(socket));
      socket.once('error', () => resolve(undefined));
    });
  } finally {
    if (directory !== undefined) closeSync(directory);
  }
}
