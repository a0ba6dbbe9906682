import { type Readable, Writable } from 'node:stream';
import { EngineError } from '../../core/errors/engine-error.js';
import type { ExitStatus } from '../../core/exit-status.js';
import { Deferred } from '../../util/deferred.js';
import type { Attachment, AttachmentEnd, AttachmentRequest, AttachmentStart } from '../attachment.js';
import { AttachmentStreams } from '../attachment-streams.js';
import type { MemoryAttacher, MemoryService } from './memory-service.js';

type Output = { readonly stream: 'stdout' | 'stderr'; readonly bytes: Buffer };

/** Attaches to a program that runs in this process. */
export class MemoryAttachment implements Attachment, MemoryAttacher {
  readonly stdin: Writable | undefined;
  readonly #output: AttachmentStreams;
  /** What stands for the supervisor's buffer. */
  readonly #waiting: Output[] = [];
  readonly #opened = new Deferred<MemoryService>();
  #drained: Deferred<void> | undefined;
  #flowing = false;
  /** What comes when everything that waits was passed on. */
  #last: AttachmentEnd | { readonly failure: unknown } | undefined;
  #service: MemoryService | undefined;

  constructor(
    private readonly request: AttachmentRequest,
    private readonly find: (socket: string) => MemoryService | undefined,
  ) {
    this.#output = new AttachmentStreams(request, () => this.#drain());
    this.stdin = request.stdin ? this.#makeInput() : undefined;
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
    await new Promise((resolve) => setImmediate(resolve)); // a connection is not made in the turn that asks for it
    if (this.#output.hasEnded) return { logPosition: undefined };
    const service = this.find(this.request.socket);
    if (service === undefined) throw new EngineError('NOT_ATTACHABLE', { socket: this.request.socket });
    this.#service = service;
    const start = service.attach(this);
    this.#opened.resolve(service);
    return start;
  }

  replay(stream: 'stdout' | 'stderr', bytes: Buffer): Promise<void> {
    return this.#output.replay(stream, bytes);
  }

  flow(): void {
    this.#flowing = true;
    this.#drain();
  }

  resize(columns: number, rows: number): void {
    this.#service?.resize(columns, rows);
  }

  end(how: AttachmentEnd | { readonly failure: unknown }): void {
    this.#service?.leave(this);
    this.#output.end(how);
    this.#waiting.length = 0;
    this.#drained?.resolve();
    this.stdin?.destroy();
    this.#opened.reject(new EngineError('NOT_ATTACHABLE', { socket: this.request.socket }));
  }

  async give(stream: 'stdout' | 'stderr', bytes: Buffer): Promise<void> {
    if (!this.request[stream] || this.#last !== undefined) return;
    this.#waiting.push({ stream, bytes });
    this.#drain();
    const size = this.#waiting.reduce((sum, each) => sum + each.bytes.length, 0);
    if (size <= this.request.bufferBytes) return;
    if (this.request.whenSlow === 'disconnect') {
      this.#last = { failure: new EngineError('ATTACH_OVERRUN', { bufferBytes: this.request.bufferBytes }) };
      return;
    }
    this.#drained ??= new Deferred();
    await this.#drained.promise;
  }

  tellExit(exit: ExitStatus): void {
    this.#last ??= { reason: 'exited', exit };
    this.#drain();
  }

  #drain(): void {
    while (this.#flowing && this.#waiting.length > 0 && !this.#output.full) {
      const next = this.#waiting.shift() as Output;
      this.#output.give(next.stream, next.bytes);
    }
    if (this.#waiting.length > 0) return;
    this.#drained?.resolve();
    this.#drained = undefined;
    if (this.#flowing && this.#last !== undefined) this.end(this.#last);
  }

  #makeInput(): Writable {
    const stdin = new Writable({
      write: (bytes: Buffer, _encoding, done) => void this.#write(bytes).then(() => done(), done),
      final: (done) => void this.#opened.promise.then((service) => service.endInput()).then(() => done(), done),
      destroy: (error, done) => {
        this.#service?.endInput();
        done(error);
      },
    });
    return stdin.on('error', () => undefined);
  }

  async #write(bytes: Buffer): Promise<void> {
    const { input } = await this.#opened.promise;
    if (input === undefined || input.destroyed || input.writableEnded) throw new Error('write EPIPE');
    if (!input.write(bytes)) await new Promise((resolve) => input.once('drain', resolve).once('close', resolve));
  }
}
