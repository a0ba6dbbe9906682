import type { Socket } from 'node:net';
import { EngineError } from '../../core/errors/engine-error.js';
import type { ExitStatus } from '../../core/exit-status.js';
import type { ProcessIdentity } from '../../core/process-identity.js';
import { signalName } from '../../core/signal.js';
import { WireReader } from '../wire-reader.js';
import { WireWriter } from '../wire-writer.js';

/** What a failing plan left to say; `section` and `index` find the operation. */
export interface ShimFailure {
  readonly section: number;
  readonly index: number;
  readonly errno: number;
  readonly syscall: string;
  readonly operand: string;
}

/** A message of the shim. */
export type ShimMessage =
  | { readonly type: 'started'; readonly identity: ProcessIdentity }
  | { readonly type: 'failed'; readonly failure: ShimFailure }
  | { readonly type: 'exited'; readonly status: ExitStatus }
  | { readonly type: 'cleaned'; readonly failure: ShimFailure | undefined };

const frameTypes = { launch: 1, signal: 2, resize: 3, release: 4, started: 16, failed: 17, exited: 18, cleaned: 19 };
const HEAD_BYTES = 8;
const MESSAGE_BYTES = 4096;

/** The library's side of the channel to one shim; native/src/control.h describes the frames. */
export class ControlChannel {
  #received: Buffer = Buffer.alloc(0);

  constructor(
    private readonly socket: Socket,
    onMessage: (message: ShimMessage) => void,
    /** The channel has ended, or made no sense. Called once. */
    onEnd: (error: EngineError | undefined) => void,
  ) {
    let ended = false;
    const end = (error?: EngineError): void => {
      if (ended) return;
      ended = true;
      socket.destroy();
      onEnd(error);
    };
    socket.on('data', (chunk) => {
      try {
        for (const message of this.#take(chunk)) onMessage(message);
      } catch (error) {
        end(EngineError.is(error) ? error : new EngineError('SHIM_FAILED', { what: String(error) }, { cause: error }));
      }
    });
    socket.on('error', () => end()); // a broken channel is its end: what it means depends on what came before
    socket.on('close', () => end());
  }

  launch(
    flags: number,
    files: { readonly process: string; readonly exit: string; readonly log: string; readonly oom: string },
    plan: Uint8Array,
  ): void {
    const body = new WireWriter().u32(flags).string(files.process).string(files.exit);
    this.#send(frameTypes.launch, body.string(files.log).string(files.oom).bytes(plan));
  }

  signal(number: number): void {
    this.#send(frameTypes.signal, new WireWriter().u32(number));
  }

  resize(columns: number, rows: number): void {
    this.#send(frameTypes.resize, new WireWriter().u32(columns).u32(rows));
  }

  release(): void {
    this.#send(frameTypes.release, new WireWriter());
  }

  /** Says that nothing more will be said. The shim then ends a process that is bound to its owner. */
  end(): void {
    this.socket.end();
  }

  #send(type: number, body: WireWriter): void {
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    head.writeUInt32LE(body.size, 0);
    head.writeUInt32LE(type, 4);
    if (this.socket.writable) this.socket.write(Buffer.concat([head, body.toBytes()]));
  }

  *#take(chunk: Buffer): Generator<ShimMessage> {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= HEAD_BYTES) {
      const size = this.#received.readUInt32LE(0);
      if (size > MESSAGE_BYTES) throw new EngineError('SHIM_FAILED', { what: `it sent a frame of ${size} bytes` });
      if (this.#received.length < HEAD_BYTES + size) return;
      const body = new WireReader(this.#received.subarray(HEAD_BYTES, HEAD_BYTES + size));
      const type = this.#received.readUInt32LE(4);
      this.#received = this.#received.subarray(HEAD_BYTES + size);
      yield decodeMessage(type, body);
    }
  }
}

function decodeMessage(type: number, body: WireReader): ShimMessage {
  switch (type) {
    case frameTypes.started:
      return { type: 'started', identity: { pid: body.u32(), startTicks: body.u64() } };
    case frameTypes.failed:
      return { type: 'failed', failure: decodeFailure(body) };
    case frameTypes.exited:
      return { type: 'exited', status: decodeExit(body) };
    case frameTypes.cleaned: {
      const failure = decodeFailure(body);
      return { type: 'cleaned', failure: failure.errno === 0 ? undefined : failure };
    }
    default:
      throw new EngineError('SHIM_FAILED', { what: `it sent a frame of unknown type ${type}` });
  }
}

function decodeFailure(body: WireReader): ShimFailure {
  return { section: body.u32(), index: body.u32(), errno: body.u32(), syscall: body.string(), operand: body.string() };
}

function decodeExit(body: WireReader): ExitStatus {
  const exitCode = body.u32();
  const signal = body.u32();
  const oomKilled = body.u32() !== 0;
  const finishedAt = new Date(Number(body.u64() / 1_000_000n));
  return { exitCode, signal: signal === 0 ? undefined : signalName(signal), oomKilled, finishedAt };
}
