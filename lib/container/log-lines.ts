import { isAscii } from 'node:buffer';
import type { LogRecord } from '../runtime/log-record.js';

/** One line of a container's output. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** When the supervisor has read the end of the line. */
  readonly at: Date;
  /** Without the line break; bytes that are no UTF-8 become U+FFFD. */
  readonly text: string;
  /** No line break follows: a piece of a line of more than 1 MiB, or the last words of a container. */
  readonly partial: boolean;
}

/** Lines of one record. */
export interface LineBlock {
  readonly stream: 'stdout' | 'stderr';
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly texts: readonly string[];
  /** The last of the texts has no line break. */
  readonly partial: boolean;
}

const NEWLINE = 0x0a;
/** A longer line comes in pieces: a program without line breaks must not fill the memory of its reader. */
const MAX_LINE_BYTES = 1024 * 1024;
/** Lines that are decoded at once share memory: whoever keeps one of them keeps no more than this. */
const BLOCK_BYTES = 16 * 1024;

/** Joins records to lines, each stream for itself. */
export class LogLines {
  readonly #rest = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  readonly #size = { stdout: 0, stderr: 0 };
  /** Of the last piece. */
  readonly #time = { stdout: 0n, stderr: 0n };

  *push({ stream, time, bytes }: LogRecord): Generator<LineBlock, void, void> {
    if (stream === 'gap') return;
    this.#time[stream] = time;
    let start = 0;
    if (this.#size[stream] > 0) {
      const first = bytes.indexOf(NEWLINE);
      start = first < 0 ? bytes.length : first + 1;
      this.#keep(stream, bytes.subarray(0, first < 0 ? bytes.length : first));
      if (first >= 0) yield this.#take(stream, false);
    }
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    while (start < end) {
      const next = endOfBlock(bytes, start, end);
      yield { stream, time, texts: decode(bytes, start, next - 1).split('\n'), partial: false };
      start = next;
    }
    if (start < bytes.length) this.#keep(stream, bytes.subarray(start));
    if (this.#size[stream] >= MAX_LINE_BYTES) yield this.#take(stream, true);
  }

  /** How many lines have begun and not ended yet. */
  get unfinished(): number {
    return Object.values(this.#size).filter((size) => size > 0).length;
  }

  /** What has no line break at the end of the log, what was written last being the last. */
  *end(): Generator<LineBlock, void, void> {
    const order =
      this.#time.stdout > this.#time.stderr ? (['stderr', 'stdout'] as const) : (['stdout', 'stderr'] as const);
    for (const stream of order) if (this.#size[stream] > 0) yield this.#take(stream, true);
  }

  /** The record's bytes are valid for a moment only. */
  #keep(stream: 'stdout' | 'stderr', bytes: Buffer): void {
    if (bytes.length > 0) this.#rest[stream].push(Buffer.from(bytes));
    this.#size[stream] += bytes.length;
  }

  #take(stream: 'stdout' | 'stderr', partial: boolean): LineBlock {
    const text = Buffer.concat(this.#rest[stream]).toString('utf8');
    this.#rest[stream] = [];
    this.#size[stream] = 0;
    return { stream, time: this.#time[stream], texts: [text], partial };
  }
}

/** Behind a line break, with at most {@link BLOCK_BYTES} between, unless the next line alone is longer. */
function endOfBlock(bytes: Buffer, start: number, end: number): number {
  if (end - start <= BLOCK_BYTES) return end;
  const last = bytes.lastIndexOf(NEWLINE, start + BLOCK_BYTES - 1);
  return last >= start ? last + 1 : bytes.indexOf(NEWLINE, start) + 1;
}

function decode(bytes: Buffer, start: number, end: number): string {
  const ascii = isAscii(bytes.subarray(start, end)); // quick to find out, and quicker to decode
  return bytes.toString(ascii ? 'latin1' : 'utf8', start, end);
}
