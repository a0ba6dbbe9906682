import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { EngineError } from '../../core/errors/engine-error.js';
import { Deferred } from '../../util/deferred.js';
import type { Attachment, AttachmentEnd, AttachmentRequest, AttachmentStart } from '../attachment.js';
import { AttachmentStreams } from '../attachment-streams.js';
import { WireReader } from '../wire-reader.js';
import { WireWriter } from '../wire-writer.js';
import { AttachmentInput } from './attachment-input.js';
import { connectToShim } from './connect-to-shim.js';
import { decodeExit, encodeFrame, type Frame, FrameReader, frameTypes } from './frames.js';

const FLAG_STDIN = 1;
const FLAG_STDOUT = 2;
const FLAG_STDERR = 4;
const FLAG_BLOCK = 8;
const TAKES_INPUT = 2;
const IS_LOGGED = 4;

/** The streams of a process that a shim supervises, by a connection to that shim. */
export class ShimAttachment implements Attachment {
  readonly #request: AttachmentRequest;
  readonly #input: AttachmentInput | undefined;
  readonly #output: AttachmentStreams;
  readonly #reader = new FrameReader();
  readonly #start = new Deferred<AttachmentStart>();
  /** Frames that wait for {@link flow}: of one chunk at most, since the socket is paused meanwhile. */
  readonly #held: Frame[] = [];
  #flowing = false;
  #socket: Socket | undefined;

  constructor(request: AttachmentRequest) {
    this.#request = request;
    this.#input = request.stdin ? new AttachmentInput() : undefined;
    this.#output = new AttachmentStreams(request, () => this.#resume());
  }

  get stdin(): Writable | undefined {
    return this.#input;
  }

  get stdout(): Readable | undefined {
    return this.#output.stdout;
  }

  get stderr(): Readable | undefined {
    return this.#output.stderr;
  }

  get ended(): Promise<AttachmentEnd> {
    return this.#output.ended;
  }

  async connect(): Promise<AttachmentStart> {
    const socket = await connectToShim(this.#request.socket);
    if (socket === undefined) throw this.#unreachable();
    if (this.#output.hasEnded) {
      socket.destroy(); // detached meanwhile
      return { logPosition: undefined };
    }
    this.#socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => undefined); // a broken connection is its end
    socket.on('close', () => this.#closed());
    const body = new WireWriter().u32(flagsOf(this.#request)).u32(this.#request.bufferBytes);
    socket.write(encodeFrame(frameTypes.attach, body));
    return this.#start.promise;
  }

  replay(stream: 'stdout' | 'stderr', bytes: Buffer): Promise<void> {
    return this.#output.replay(stream, bytes);
  }

  flow(): void {
    this.#flowing = true;
    try {
      for (const frame of this.#held.splice(0)) this.#handle(frame);
    } catch (failure) {
      this.end({ failure });
    }
    this.#resume();
  }

  resize(columns: number, rows: number): void {
    this.#send(encodeFrame(frameTypes.resize, new WireWriter().u32(columns).u32(rows)));
  }

  end(how: AttachmentEnd | { readonly failure: unknown }): void {
    this.#output.end(how);
    this.#input?.destroy();
    this.#socket?.destroy();
    this.#start.reject('failure' in how ? how.failure : this.#unreachable());
  }

  #take(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.take(chunk)) this.#accept(frame);
    } catch (failure) {
      this.end({ failure });
    }
  }

  #accept(frame: Frame): void {
    if (frame.type === frameTypes.attached) this.#begin(new WireReader(frame.body));
    else if (this.#flowing) this.#handle(frame);
    else this.#held.push(frame);
  }

  #begin(body: WireReader): void {
    const flags = body.u32();
    const position = body.u64();
    this.#socket?.pause(); // until flow()
    if ((flags & TAKES_INPUT) === 0) this.#input?.closeByReader();
    else this.#input?.open((frame) => this.#send(frame));
    this.#start.resolve({ logPosition: (flags & IS_LOGGED) === 0 ? undefined : position });
  }

  #handle({ type, body }: Frame): void {
    if (type === frameTypes.stdout) this.#give('stdout', body);
    else if (type === frameTypes.stderr) this.#give('stderr', body);
    else if (type === frameTypes.taken) this.#input?.grant(new WireReader(body).u32());
    else if (type === frameTypes.inputClosed) this.#input?.closeByReader();
    else if (type === frameTypes.exited) this.end({ reason: 'exited', exit: decodeExit(new WireReader(body)) });
    else if (type === frameTypes.overrun) this.end({ failure: this.#overrun() });
    else throw new EngineError('SHIM_FAILED', { what: `it sent a frame of unknown type ${type}` });
  }

  #give(stream: 'stdout' | 'stderr', bytes: Buffer): void {
    this.#output.give(stream, bytes);
    if (this.#output.full) this.#socket?.pause();
  }

  #resume(): void {
    if (this.#flowing && !this.#output.full && this.#socket?.destroyed === false) this.#socket.resume();
  }

  #send(frame: Buffer): void {
    if (this.#socket?.writable === true) this.#socket.write(frame);
  }

  #closed(): void {
    const attached = this.#start.settled;
    const lost = new EngineError('SHIM_FAILED', { what: 'it ended, or let an attacher go, before the process ended' });
    this.end({ failure: attached ? lost : this.#unreachable() });
  }

  #overrun(): EngineError {
    return new EngineError('ATTACH_OVERRUN', { bufferBytes: this.#request.bufferBytes });
  }

  #unreachable(): EngineError {
    return new EngineError('NOT_ATTACHABLE', { socket: this.#request.socket });
  }
}

const flagsOf = (request: AttachmentRequest): number =>
  (request.stdin ? FLAG_STDIN : 0) |
  (request.stdout ? FLAG_STDOUT : 0) |
  (request.stderr ? FLAG_STDERR : 0) |
  (request.whenSlow === 'block' ? FLAG_BLOCK : 0);
