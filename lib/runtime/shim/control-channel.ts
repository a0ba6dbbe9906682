import type { Socket } from 'node:net';
import { EngineError } from '../../core/errors/engine-error.js';
import type { ExitStatus } from '../../core/exit-status.js';
import type { ProcessIdentity } from '../../core/process-identity.js';
import type { ProcessJournal } from '../process-journal.js';
import { WireReader } from '../wire-reader.js';
import { WireWriter } from '../wire-writer.js';
import {
  decodeExit,
  decodeFailure,
  encodeFrame,
  type Frame,
  FrameReader,
  frameTypes,
  type ShimFailure,
} from './frames.js';

/** A message of the shim. */
export type ShimMessage =
  | { readonly type: 'started'; readonly identity: ProcessIdentity }
  | { readonly type: 'failed'; readonly failure: ShimFailure }
  | { readonly type: 'exited'; readonly status: ExitStatus }
  | { readonly type: 'restarting'; readonly status: ExitStatus; readonly delayMs: number }
  | { readonly type: 'cleaned'; readonly failure: ShimFailure | undefined };

/** Where a supervisor writes what it sees; '' is nowhere. */
export interface SupervisorFiles {
  readonly process: string;
  readonly exit: string;
  readonly oom: string;
  readonly log: SupervisorLog;
  readonly restart: SupervisorRestart;
  readonly journal: ProcessJournal;
}

/** @see native/src/restart.h */
export interface SupervisorRestart {
  readonly policy: number;
  readonly maxRetries: number;
  readonly stopFile: string;
  readonly restartFile: string;
}

/** @see native/src/log.h */
export interface SupervisorLog {
  readonly prefix: string;
  readonly maxBytes: number;
  readonly maxFiles: number;
  /** Positions of the files that there are, rising. */
  readonly files: readonly bigint[];
}

/** For what writes nothing. */
export const noFiles: SupervisorFiles = {
  process: '',
  exit: '',
  oom: '',
  log: { prefix: '', maxBytes: 0, maxFiles: 0, files: [] },
  restart: { policy: 0, maxRetries: 0, stopFile: '', restartFile: '' },
  journal: { file: '', subject: '' },
};

/** The library's side of the channel to a shim that it has started; native/src/control.h describes the frames. */
export class ControlChannel {
  readonly #reader = new FrameReader();

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
        for (const frame of this.#reader.take(chunk)) onMessage(decodeMessage(frame));
      } catch (error) {
        end(EngineError.is(error) ? error : new EngineError('SHIM_FAILED', { what: String(error) }, { cause: error }));
      }
    });
    socket.on('error', () => end()); // a broken channel is its end: what it means depends on what came before
    socket.on('close', () => end());
  }

  launch(flags: number, files: SupervisorFiles, plan: Uint8Array): void {
    const { prefix, maxBytes, maxFiles } = files.log;
    const positions = Buffer.from(BigUint64Array.from(files.log.files).buffer);
    const body = new WireWriter().u32(flags).string(files.process).string(files.exit).string(files.oom);
    body.string(prefix).u64(BigInt(maxBytes)).u32(maxFiles).bytes(positions);
    const { policy, maxRetries, stopFile, restartFile } = files.restart;
    body.u32(policy).u32(maxRetries).string(stopFile).string(restartFile);
    body.string(files.journal.file).string(files.journal.subject);
    this.#send(frameTypes.launch, body.bytes(plan));
  }

  signal(number: number): void {
    this.#send(frameTypes.signal, new WireWriter().u32(number));
  }

  resize(columns: number, rows: number): void {
    this.#send(frameTypes.resize, new WireWriter().u32(columns).u32(rows));
  }

  release(): void {
    this.#send(frameTypes.release);
  }

  /** Whoever wants the first output is attached. */
  proceed(): void {
    this.#send(frameTypes.proceed);
  }

  /** Says that nothing more will be said. The shim then ends a process that is bound to its owner. */
  end(): void {
    this.socket.end();
  }

  #send(type: number, body?: WireWriter): void {
    if (this.socket.writable) this.socket.write(encodeFrame(type, body));
  }
}

function decodeMessage({ type, body }: Frame): ShimMessage {
  const reader = new WireReader(body);
  switch (type) {
    case frameTypes.started:
      return { type: 'started', identity: { pid: reader.u32(), startTicks: reader.u64() } };
    case frameTypes.failed:
      return { type: 'failed', failure: decodeFailure(reader) };
    case frameTypes.exited:
      return { type: 'exited', status: decodeExit(reader) };
    case frameTypes.restarting:
      return { type: 'restarting', status: decodeExit(reader), delayMs: reader.u32() };
    case frameTypes.cleaned: {
      const failure = decodeFailure(reader);
      return { type: 'cleaned', failure: failure.errno === 0 ? undefined : failure };
    }
    default:
      throw new EngineError('SHIM_FAILED', { what: `it sent a frame of unknown type ${type}` });
  }
}
