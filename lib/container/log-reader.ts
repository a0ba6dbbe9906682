import { closeSync, fstatSync, read, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { logFile, logFiles } from '../runtime/log-files.js';
import { decodeLogRecord, type LogRecord } from '../runtime/log-record.js';
import { openLog } from './open-log.js';

const READ_BYTES = 1024 * 1024;
/** Files that are held open for a reader who is behind, so that what is rotated away meanwhile is not lost for him. */
const MAX_HELD_FILES = 64;

const readAt = promisify(read);

interface OpenFile {
  readonly position: bigint;
  readonly fd: number;
}

/** The end of what a log holds now. */
export function logEnd(prefix: string): bigint {
  const newest = logFiles(prefix).at(-1);
  const size = newest === undefined ? 0 : (statSync(logFile(prefix, newest), { throwIfNoEntry: false })?.size ?? 0);
  return (newest ?? 0n) + BigInt(size);
}

/** Reads the records of a log in order, across its files, however they are rotated meanwhile. */
export class LogReader {
  readonly #open: OpenFile[] = [];
  /** In the first open file; always where a record begins. */
  #offset = 0;
  #newest = -1n;
  #lost = 0n;
  #buffer: Buffer | undefined;

  /** @param start - where to begin. Default: with the oldest record that there is. */
  constructor(
    private readonly prefix: string,
    start?: bigint,
  ) {
    this.hold();
    if (start !== undefined) this.#skipTo(start);
  }

  /** Where the next record begins. */
  get position(): bigint {
    return (this.#open[0]?.position ?? 0n) + BigInt(this.#offset);
  }

  /** The end of what is there now. */
  get end(): bigint {
    this.hold();
    const last = this.#open.at(-1);
    return last === undefined ? 0n : last.position + BigInt(fstatSync(last.fd).size);
  }

  /** Takes hold of files that have been made since. */
  hold(): void {
    if (this.#open.length >= MAX_HELD_FILES) return;
    for (const position of logFiles(this.prefix)) {
      if (position <= this.#newest) continue;
      const fd = openLog(logFile(this.prefix, position));
      if (fd === undefined) continue; // rotated away in this moment
      this.#open.push({ position, fd });
      this.#newest = position;
      if (this.#open.length >= MAX_HELD_FILES) return;
    }
  }

  /**
   * The next records, at most up to the position `end`; undefined when there are none now. They are valid until the next
   * call.
   */
  async next(end?: bigint): Promise<readonly LogRecord[] | undefined> {
    for (;;) {
      const [file, successor] = this.#open;
      if (file === undefined) {
        this.hold();
        if (this.#open.length === 0) return undefined;
        continue;
      }
      const records = await this.#read(file, end);
      if (records.length > 0) return records;
      if (end !== undefined && this.position >= end) return undefined;
      if (successor === undefined) {
        this.hold();
        if (this.#open.length === 1) return undefined;
      } else {
        this.#advance(file, successor); // it was there before we looked: nothing is added to this file any more
      }
    }
  }

  /** Bytes of the log that were removed before they could be read, since the last call. */
  takeLost(): number {
    const lost = Number(this.#lost);
    this.#lost = 0n;
    return lost;
  }

  close(): void {
    for (const { fd } of this.#open.splice(0)) closeSync(fd);
  }

  async #read({ fd, position }: OpenFile, end: bigint | undefined): Promise<LogRecord[]> {
    const wanted = end === undefined ? READ_BYTES : Math.min(READ_BYTES, Number(end - this.position));
    if (wanted <= 0) return [];
    this.#buffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
    const { bytesRead } = await readAt(fd, this.#buffer, 0, wanted, this.#offset);
    const bytes = this.#buffer.subarray(0, bytesRead);
    const path = logFile(this.prefix, position);
    const records: LogRecord[] = [];
    let at = 0;
    for (let next = decodeLogRecord(bytes, path); next !== undefined; next = decodeLogRecord(bytes, path, at)) {
      records.push(next.record);
      at += next.size;
    }
    this.#offset += at; // half a record is read again: the supervisor may take it back when the disk is full
    return records;
  }

  #advance(file: OpenFile, successor: OpenFile): void {
    this.#lost += successor.position - (file.position + BigInt(fstatSync(file.fd).size));
    this.#open.shift();
    this.#offset = 0;
    closeSync(file.fd);
  }

  #skipTo(start: bigint): void {
    for (let [, second] = this.#open; second !== undefined && second.position <= start; [, second] = this.#open) {
      closeSync(this.#open.shift()?.fd ?? -1);
    }
    const [first] = this.#open;
    if (first !== undefined && start > first.position) this.#offset = Number(start - first.position);
    else if (first !== undefined) this.#lost = first.position - start;
  }
}
