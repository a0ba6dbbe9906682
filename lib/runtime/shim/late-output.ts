import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { Kernel } from '../../kernel/kernel.js';
import { hasErrno } from '../../util/errno.js';

/** The reading end of a pipe that becomes a stream when somebody asks for it. */
export interface LateOutput {
  readonly stream: Readable;
  /**
   * To be called when the process has ended: an output that nobody has asked for gives its descriptor back. False while
   * another process of the container still holds the other end: then it can be called again.
   */
  settle(): boolean;
  destroy(): void;
}

/** A pipe holds 64 KiB unless somebody has enlarged it. */
const PIPE_BYTES = 64 * 1024;
/** A process that stays behind may go on writing. */
const MAX_READS = 32;

/** @param fd - opened by `kernel`. */
export function lateOutput(kernel: Pick<Kernel, 'close'>, fd: number, open: (fd: number) => Readable): LateOutput {
  let stream: Readable | undefined;
  return {
    get stream() {
      stream ??= open(fd);
      return stream;
    },
    settle: () => {
      if (stream !== undefined) return true;
      const { chunks, ended } = drain(fd);
      if (ended) {
        kernel.close(fd);
        stream = Readable.from(chunks, { objectMode: false }); // for whoever comes late
      } else if (chunks.length > 0) {
        stream = open(fd);
        stream.unshift(Buffer.concat(chunks));
      }
      return stream !== undefined;
    },
    destroy: () => {
      if (stream === undefined) kernel.close(fd);
      stream ??= Readable.from([]);
      stream.destroy();
    },
  };
}

/** What is in a pipe now, and whether that is all that will ever be. */
function drain(fd: number): { readonly chunks: Buffer[]; readonly ended: boolean } {
  // A description of its own, so that the pipe itself stays as it is.
  const reader = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
  const chunks: Buffer[] = [];
  try {
    while (chunks.length < MAX_READS) {
      const chunk = Buffer.allocUnsafe(PIPE_BYTES);
      const size = readSync(reader, chunk);
      if (size === 0) return { chunks, ended: true };
      chunks.push(chunk.subarray(0, size));
    }
  } catch (error) {
    if (!hasErrno(error, 'EAGAIN')) throw error;
  } finally {
    closeSync(reader);
  }
  return { chunks, ended: false };
}
