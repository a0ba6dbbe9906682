import type { Readable, Writable } from 'node:stream';
import type { ExitStatus } from '../core/exit-status.js';

/** What somebody who attaches wants of a process. */
export interface AttachmentRequest {
  /** The socket that the process was launched with. */
  readonly socket: string;
  readonly stdin: boolean;
  readonly stdout: boolean;
  /** With a terminal there is none: all output is `stdout`. */
  readonly stderr: boolean;
  /** How many bytes may wait at the supervisor, besides what the kernel's socket and the streams hold. */
  readonly bufferBytes: number;
  /** What happens when more would wait: `disconnect` ends the attachment (`ATTACH_OVERRUN`), `block` stops the process. */
  readonly whenSlow: 'disconnect' | 'block';
}

/** How an attachment has ended. */
export type AttachmentEnd =
  /** The process has ended, and all of its output was passed on. */
  { readonly reason: 'exited'; readonly exit: ExitStatus } | { readonly reason: 'detached' };

/** Where the live output of an attachment begins. */
export interface AttachmentStart {
  /** The position in the log (native/src/log.h) of the first byte that comes live; undefined without a log. */
  readonly logPosition: bigint | undefined;
}

/**
 * The streams of a process that others may be attached to as well.
 *
 * It is made without a connection, so that streams can be handed out before the process runs. The order is: `replay` as
 * wanted, `connect`, `replay` as wanted, `flow`. Then: output; the end of `stdout` and `stderr`; `ended`.
 */
export interface Attachment {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /**
   * Resolves when the supervisor counts this as attached: output from that moment on is passed on after {@link flow}.
   * Rejects with `NOT_ATTACHABLE` when no process listens there.
   */
  connect(): Promise<AttachmentStart>;
  /** Puts earlier output in front of the live one; resolves when the stream wants more, or nobody wants any. */
  replay(stream: 'stdout' | 'stderr', bytes: Buffer): Promise<void>;
  /** From now on live output is passed on. */
  flow(): void;
  /** Rejects with `ATTACH_OVERRUN`, `SHIM_FAILED`, or what {@link end} was given. */
  readonly ended: Promise<AttachmentEnd>;
  /** Gives the process' terminal a new size. */
  resize(columns: number, rows: number): void;
  /** Leaves the process alone. What has come already can still be read. Also for one that never connected. */
  end(how: AttachmentEnd | { readonly failure: unknown }): void;
}
