import { EngineError } from '../../core/errors/engine-error.js';
import type { ExitStatus } from '../../core/exit-status.js';
import { signalName } from '../../core/signal.js';
import type { WireReader } from '../wire-reader.js';
import { WireWriter } from '../wire-writer.js';

/** The frames by which a shim is talked to; native/src/control.h describes them. */
export const frameTypes = {
  launch: 1,
  signal: 2,
  resize: 3,
  release: 4,
  start: 5,
  attach: 6,
  input: 7,
  inputEnd: 8,
  proceed: 9,
  started: 16,
  failed: 17,
  exited: 18,
  cleaned: 19,
  done: 20,
  attached: 21,
  stdout: 22,
  stderr: 23,
  taken: 24,
  inputClosed: 25,
  overrun: 26,
  restarting: 27,
} as const;

/** A frame, or a part of one that carries a stream. */
export interface Frame {
  readonly type: number;
  readonly body: Buffer;
}

/** What a failing plan left to say; `section` and `index` find the operation. */
export interface ShimFailure {
  readonly section: number;
  readonly index: number;
  readonly errno: number;
  readonly syscall: string;
  readonly operand: string;
}

const HEAD_BYTES = 8;
const MESSAGE_BYTES = 4096;
const nothing: Buffer = Buffer.alloc(0);
const streams: readonly number[] = [frameTypes.stdout, frameTypes.stderr];

/** A frame as it goes over the wire. */
export function encodeFrame(type: number, body: WireWriter | Uint8Array = new WireWriter()): Buffer {
  const payload = body instanceof WireWriter ? body.toBytes() : body;
  const frame = Buffer.allocUnsafe(HEAD_BYTES + payload.byteLength);
  frame.writeUInt32LE(payload.byteLength, 0);
  frame.writeUInt32LE(type, 4);
  frame.set(payload, HEAD_BYTES);
  return frame;
}

/** Finds frames in what comes from a socket. Bytes of streams are passed on as they come, without being copied. */
export class FrameReader {
  #received = nothing;
  /** The stream whose frame is under way, and how much of it is to come. */
  #stream = 0;
  #left = 0;

  /** @throws EngineError `SHIM_FAILED` for a frame that is too large. */
  *take(chunk: Buffer): Generator<Frame, void, void> {
    for (let rest = chunk; rest.length > 0; ) {
      if (this.#left > 0) {
        const body = rest.subarray(0, this.#left);
        this.#left -= body.length;
        rest = rest.subarray(body.length);
        yield { type: this.#stream, body };
        continue;
      }
      const buffer = this.#received.length === 0 ? rest : Buffer.concat([this.#received, rest]);
      const frame = this.#headOf(buffer);
      this.#received = frame === undefined ? buffer : nothing;
      if (frame === undefined) return;
      rest = buffer.subarray(frame.size);
      if (frame.body !== undefined) yield { type: frame.type, body: frame.body };
    }
  }

  /** What begins here, as far as it is there; of a stream only the head. */
  #headOf(buffer: Buffer): { readonly type: number; readonly size: number; readonly body?: Buffer } | undefined {
    if (buffer.length < HEAD_BYTES) return undefined;
    const size = buffer.readUInt32LE(0);
    const type = buffer.readUInt32LE(4);
    if (streams.includes(type)) {
      this.#stream = type;
      this.#left = size;
      return { type, size: HEAD_BYTES };
    }
    if (size > MESSAGE_BYTES) throw new EngineError('SHIM_FAILED', { what: `it sent a frame of ${size} bytes` });
    if (buffer.length < HEAD_BYTES + size) return undefined;
    return { type, size: HEAD_BYTES + size, body: buffer.subarray(HEAD_BYTES, HEAD_BYTES + size) };
  }
}

export function decodeFailure(body: WireReader): ShimFailure {
  return { section: body.u32(), index: body.u32(), errno: body.u32(), syscall: body.string(), operand: body.string() };
}

export function decodeExit(body: WireReader): ExitStatus {
  const exitCode = body.u32();
  const signal = body.u32();
  const oomKilled = body.u32() !== 0;
  const finishedAt = new Date(Number(body.u64() / 1_000_000n));
  return { exitCode, signal: signal === 0 ? undefined : signalName(signal), oomKilled, finishedAt };
}
