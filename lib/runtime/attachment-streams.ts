import { Readable } from 'node:stream';
import { Deferred } from '../util/deferred.js';
import type { Attachment, AttachmentEnd, AttachmentRequest } from './attachment.js';

/** The reading side of an attachment, common to its adapters: streams that are filled from outside, and their end. */
export class AttachmentStreams implements Pick<Attachment, 'stdout' | 'stderr' | 'replay' | 'ended'> {
  readonly #ended = new Deferred<AttachmentEnd>();
  readonly stdout: OutputStream | undefined;
  readonly stderr: OutputStream | undefined;

  /** @param onWanted - is called when a stream that was full wants more. */
  constructor(request: Pick<AttachmentRequest, 'stdout' | 'stderr'>, onWanted: () => void) {
    this.stdout = request.stdout ? new OutputStream(onWanted) : undefined;
    this.stderr = request.stderr ? new OutputStream(onWanted) : undefined;
  }

  get ended(): Promise<AttachmentEnd> {
    return this.#ended.promise;
  }

  get hasEnded(): boolean {
    return this.#ended.settled;
  }

  /** True while a stream holds so much that it wants no more. */
  get full(): boolean {
    return this.stdout?.full === true || this.stderr?.full === true;
  }

  give(stream: 'stdout' | 'stderr', bytes: Buffer): void {
    if (!this.hasEnded) this[stream]?.give(bytes);
  }

  async replay(stream: 'stdout' | 'stderr', bytes: Buffer): Promise<void> {
    this.give(stream, bytes);
    await this[stream]?.wanted();
  }

  /** Ends both streams and the attachment; who waits for that hears of it when everything is in the streams. */
  end(how: AttachmentEnd | { readonly failure: unknown }): void {
    if (this.hasEnded) return;
    if ('failure' in how) this.#ended.reject(how.failure);
    else this.#ended.resolve(how);
    for (const stream of [this.stdout, this.stderr]) {
      if ('failure' in how) stream?.fail(how.failure);
      else stream?.end();
    }
  }
}

/** A stream that is filled from outside. */
class OutputStream extends Readable {
  #full = false;
  #failure: Error | undefined;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly onWanted: () => void) {
    super();
    this.on('error', () => undefined); // who reads by iterating or by pipeline sees it all the same
    this.once('close', () => this.#wake());
  }

  get full(): boolean {
    return this.#full && !this.destroyed;
  }

  give(bytes: Buffer): void {
    if (!this.destroyed && !this.push(bytes)) this.#full = true;
  }

  end(): void {
    if (!this.destroyed) this.push(null);
    this.#wake();
  }

  /** What has come before can still be read. */
  fail(failure: unknown): void {
    this.#failure = failure instanceof Error ? failure : new Error(String(failure));
    if (this.readableLength === 0) this.destroy(this.#failure);
    this.#wake();
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    if (chunk === null && this.#failure !== undefined && this.readableLength === 0) this.destroy(this.#failure);
    return chunk;
  }

  async wanted(): Promise<void> {
    if (this.full) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  override _read(): void {
    this.#wake();
  }

  #wake(): void {
    this.#full = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.onWanted();
  }
}
