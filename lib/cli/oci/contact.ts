import { EngineError } from '../../core/errors/engine-error.js';
import { errnoName } from '../../core/errors/errno-name.js';
import { connectToShim } from '../../runtime/shim/connect-to-shim.js';
import {
  decodeFailure,
  encodeFrame,
  type Frame,
  FrameReader,
  frameTypes,
  type ShimFailure,
} from '../../runtime/shim/frames.js';
import { WireReader } from '../../runtime/wire-reader.js';
import { WireWriter } from '../../runtime/wire-writer.js';

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

const ESRCH = 3;

/** Undefined when no shim listens: it has ended, or was killed. */
export async function openContact(path: string): Promise<Contact | undefined> {
  const socket = await connectToShim(path);
  if (socket === undefined) return undefined;
  const reader = new FrameReader();
  let waiting: ((answer: Frame | undefined) => void) | undefined;
  const ended = new Promise<void>((resolve) => {
    socket.on('close', () => {
      waiting?.(undefined);
      resolve();
    });
  });
  socket.on('error', () => undefined); // a broken connection is its end
  socket.on('data', (chunk: Buffer) => {
    for (const frame of reader.take(chunk)) waiting?.(frame);
  });
  const ask = async (type: number, body?: WireWriter): Promise<Frame | undefined> => {
    const answer = new Promise<Frame | undefined>((resolve) => {
      waiting = resolve;
    });
    socket.write(encodeFrame(type, body));
    return answer;
  };
  return {
    start: async () => {
      const answer = await ask(frameTypes.start);
      if (answer?.type === frameTypes.started) return undefined;
      if (answer?.type === frameTypes.failed) return decodeFailure(new WireReader(answer.body));
      throw new EngineError('SHIM_FAILED', { what: 'it ended before the container was started' });
    },
    signal: async (number) => {
      const answer = await ask(frameTypes.signal, new WireWriter().u32(number));
      const errno = answer?.type === frameTypes.done ? new WireReader(answer.body).u32() : ESRCH;
      if (errno === 0 || errno === ESRCH) return errno === 0;
      const operand = String(number);
      throw new EngineError('SYSTEM_CALL_FAILED', {
        syscall: 'pidfd_send_signal',
        errno: errnoName(errno),
        operand,
        hint: '',
      });
    },
    ended,
    close: () => socket.destroy(),
  };
}
