import { type Readable, Writable } from 'node:stream';
import type { Abortable } from '../core/abortable.js';
import type { Attachment, AttachmentEnd } from '../runtime/attachment.js';
import { orAbort } from '../util/abort.js';
import { DetachKeyFilter } from './detach-keys.js';
import { checkSize } from './stdio-config.js';
import type { TerminalSize } from './stdio-options.js';

/**
 * The streams of a container's first process, shared with whoever else is attached.
 *
 * It goes in this order: output as the container writes it; the end of `stdout` and `stderr`; then `wait()` resolves, when
 * all of that is in the streams, read or not. An attachment that fails (`ATTACH_OVERRUN`, `SHIM_FAILED`) destroys its streams with the error once they were read, and
 * `wait()` rejects with it. The streams come through one connection: with two of them both have to be read.
 */
export class AttachedStreams implements AsyncDisposable {
  readonly #attachment: Attachment;
  readonly #stdin: Writable | undefined;

  /** @internal */
  constructor(
    attachment: Attachment,
    detachKeys: Buffer,
    /** Whether the container has a terminal: then there is no `stderr`. */
    readonly tty: boolean,
  ) {
    this.#attachment = attachment;
    this.#stdin = attachment.stdin && withDetachKeys(attachment.stdin, detachKeys, () => this.#detach());
  }

  /** Ending it ends the container's input with `stdinOnce` only. Undefined when it was not asked for. */
  get stdin(): Writable | undefined {
    return this.#stdin;
  }

  /** With a terminal: all of its output. Undefined when it was not asked for. */
  get stdout(): Readable | undefined {
    return this.#attachment.stdout;
  }

  /** Undefined with a terminal, and when it was not asked for. */
  get stderr(): Readable | undefined {
    return this.#attachment.stderr;
  }

  /**
   * How the attachment ends: with the container, by {@link AttachedStreams.detach}, or by the detach keys. Safe before and
   * after, and as often as wanted. Output that is not read holds this up as soon as the streams are full.
   */
  wait(options: Abortable = {}): Promise<AttachmentEnd> {
    return orAbort(this.#attachment.ended, options.signal);
  }

  /** Gives the container's terminal a new size; without a terminal this is nothing. */
  resize(size: TerminalSize): void {
    const { columns, rows } = checkSize(size);
    this.#attachment.resize(columns, rows);
  }

  /** Leaves the container running. What has come already can still be read. Safe to call twice. */
  async detach(): Promise<void> {
    this.#detach();
    await this.#attachment.ended.catch(() => undefined); // who waits is told
  }

  /** The same as {@link AttachedStreams.detach}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.detach();
  }

  #detach(): void {
    this.#attachment.end({ reason: 'detached' });
  }
}

function withDetachKeys(input: Writable, keys: Buffer, detach: () => void): Writable {
  if (keys.length === 0) return input;
  const filter = new DetachKeyFilter(keys);
  const pass = (bytes: Buffer, done: (error?: Error | null) => void): void => {
    if (bytes.length > 0) input.write(bytes, done);
    else done();
  };
  const stdin = new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      const { pass: typed, detached } = filter.push(bytes);
      pass(typed, (error) => {
        done(error);
        if (detached) detach();
      });
    },
    final: (done) => pass(filter.end(), (error) => (error ? done(error) : input.end(() => done()))),
    destroy: (error, done) => {
      input.destroy();
      done(error);
    },
  });
  input.once('close', () => stdin.destroy(input.errored ?? undefined));
  return stdin.on('error', () => undefined); // EPIPE, as for a pipe: users see it on their own listeners
}
