import { Writable } from 'node:stream';
import { encodeFrame, frameTypes } from './frames.js';

/** How much the supervisor takes without having passed it on: TSC_INPUT_WINDOW. */
const WINDOW_BYTES = 65_536;

/**
 * The input of an attachment. No more is sent than the supervisor grants, so that what else it is told never waits behind
 * input that the container does not read.
 */
export class AttachmentInput extends Writable {
  #credit = WINDOW_BYTES;
  #send: ((frame: Buffer) => void) | undefined;
  #pending: { bytes: Buffer; readonly done: (error?: Error | null) => void } | undefined;
  #finish: ((error?: Error | null) => void) | undefined;

  constructor() {
    super();
    this.on('error', () => undefined); // EPIPE: the container reads no more; users see it on their own listeners
  }

  /** From now on frames can be sent. */
  open(send: (frame: Buffer) => void): void {
    this.#send = send;
    this.#work();
  }

  grant(bytes: number): void {
    this.#credit += bytes;
    this.#work();
  }

  /** Nobody reads any more. @see pipe(7) */
  closeByReader(): void {
    if (this.writableFinished) return;
    this.destroy(Object.assign(new Error('write EPIPE: the container reads no input'), { code: 'EPIPE' }));
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#pending = { bytes, done };
    this.#work();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finish = done;
    this.#work();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#send = undefined;
    this.#pending = undefined;
    done(error);
  }

  #work(): void {
    if (this.#send === undefined) return;
    while (this.#pending !== undefined && this.#credit > 0) {
      const part = this.#pending.bytes.subarray(0, this.#credit);
      this.#credit -= part.length;
      this.#send(encodeFrame(frameTypes.input, part));
      const { bytes, done } = this.#pending;
      if (part.length < bytes.length) {
        this.#pending = { bytes: bytes.subarray(part.length), done };
      } else {
        this.#pending = undefined;
        done();
      }
    }
    if (this.#pending !== undefined || this.#finish === undefined) return;
    this.#send(encodeFrame(frameTypes.inputEnd));
    const finished = this.#finish;
    this.#finish = undefined;
    finished();
  }
}
