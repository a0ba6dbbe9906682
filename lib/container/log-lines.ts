import type { LogRecord } from './log-record.js';

/** One line of a container's output. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** When the supervisor has read the end of the line. */
  readonly at: Date;
  /** Without the line break; bytes that are no UTF-8 become U+FFFD. */
  readonly text: string;
}

const NEWLINE = 0x0a;
/** A longer line comes in pieces: a program without line breaks must not fill the memory of its reader. */
const MAX_LINE_BYTES = 1024 * 1024;

/** Joins records to lines, each stream for itself. */
export class LogLines {
  readonly #rest = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  readonly #size = { stdout: 0, stderr: 0 };
  #last = new Date(0);

  *push({ stream, at, bytes }: LogRecord): Generator<LogLine> {
    this.#last = at;
    for (let start = 0; start < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline < 0 ? bytes.length : newline;
      this.#rest[stream].push(bytes.subarray(start, end));
      this.#size[stream] += end - start;
      start = end + 1;
      if (newline >= 0 || this.#size[stream] >= MAX_LINE_BYTES) yield this.#take(stream, at);
    }
  }

  /** How many lines have begun and not ended yet. */
  get unfinished(): number {
    return Object.values(this.#size).filter((size) => size > 0).length;
  }

  /** What has no line break at the end of the log. */
  *end(): Generator<LogLine> {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#size[stream] > 0) yield this.#take(stream, this.#last);
    }
  }

  #take(stream: 'stdout' | 'stderr', at: Date): LogLine {
    const text = Buffer.concat(this.#rest[stream]).toString('utf8');
    this.#rest[stream] = [];
    this.#size[stream] = 0;
    return { stream, at, text };
  }
}
