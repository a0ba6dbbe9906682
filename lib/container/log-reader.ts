import { closeSync, fstatSync, read, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { logFile, logFiles } from '../runtime/log-files.js';
import { decodeLogRecord, type LogRecord } from '../runtime/log-record.js';
import { openLog } from './open-log.js';

const READ_BYTES = 1024 * 1024;

const readAt = promisify(read);

interface OpenFile {
  readonly position: bigint;
  readonly fd: number;
}

/** Takes a shared lock on a file, see native/src/log.h. */
export type LockLog = (fd: number) => void;

/** The end of what a log holds now. */
export function logEnd(prefix: string): bigint {
  const newest = logFiles(prefix).at(-1);
  const size = newest === undefined ? 0 : (statSync(logFile(prefix, newest), { throwIfNoEntry: false })?.size ?? 0);
  return (newest ?? 0n) + BigInt(size);
}

/** Reads the records of a log in order, across its files, however they are rotated meanwhile. */
export class LogReader {
  #file: OpenFile | undefined;
  /** It begins where the file ends: nothing is added to that one any more. */
  #successor: OpenFile | undefined;
  /** Where a record begins in the file. */
  #offset = 0;
  #lost = 0n;
  #buffer: Buffer | undefined;

  constructor(
    private readonly prefix: string,
    private readonly lock: LockLog,
  ) {
    this.#file = this.#openFirst(0n);
  }

  /** Where to begin. Default: with the oldest record there was when this was made; none of it has gone since. */
  beginAt(position: bigint): void {
    if (this.#file === undefined || position <= this.#file.position) return;
    const before = this.#file;
    this.#file = this.#openFirst(position) ?? before;
    this.#offset = Number(position - this.#file.position);
    if (this.#file !== before) closeSync(before.fd);
  }

  /**
   * The next records, at most up to the position `end`; undefined when there are none now. They are valid until the next
   * call.
   */
  async next(end?: bigint): Promise<readonly LogRecord[] | undefined> {
    this.#file ??= this.#openFirst(0n);
    for (let file = this.#file; file !== undefined; file = this.#file) {
      const records = await this.#read(file, end);
      if (records.length > 0) return records;
      if (end !== undefined && file.position + BigInt(this.#offset) >= end) return undefined;
      if (this.#successor === undefined) {
        this.#successor = this.#openAfter(file.position);
        if (this.#successor === undefined) return undefined;
      } else {
        this.#advance(file, this.#successor); // it was there before we looked
      }
    }
    return undefined;
  }

  /** Bytes of the log that were removed before they could be read, since the last call. */
  takeLost(): number {
    const lost = Number(this.#lost);
    this.#lost = 0n;
    return lost;
  }

  close(): void {
    for (const file of [this.#file, this.#successor]) if (file !== undefined) closeSync(file.fd);
    this.#file = undefined;
    this.#successor = undefined;
  }

  async #read({ fd, position }: OpenFile, end: bigint | undefined): Promise<LogRecord[]> {
    const wanted = end === undefined ? READ_BYTES : Number(end - position) - this.#offset;
    if (wanted <= 0) return [];
    this.#buffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
    const { bytesRead } = await readAt(fd, this.#buffer, 0, Math.min(READ_BYTES, wanted), this.#offset);
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
    closeSync(file.fd);
    this.#file = successor;
    this.#successor = undefined;
    this.#offset = 0;
  }

  /**
   * The file that holds a position, else the oldest. Once it is locked it stays, and those behind it; until then it may be
   * rotated away, and there is another one.
   */
  #openFirst(start: bigint): OpenFile | undefined {
    for (;;) {
      const positions = logFiles(this.prefix);
      const position = positions.findLast((each) => each <= start) ?? positions[0];
      if (position === undefined) return undefined;
      const file = this.#open(position);
      if (file !== undefined) return file;
    }
  }

  #openAfter(before: bigint): OpenFile | undefined {
    for (;;) {
      const position = logFiles(this.prefix).find((each) => each > before);
      if (position === undefined) return undefined;
      const file = this.#open(position);
      if (file !== undefined) return file;
    }
  }

  /** Undefined when it is not there any more. */
  #open(position: bigint): OpenFile | undefined {
    const fd = openLog(logFile(this.prefix, position));
    if (fd === undefined) return undefined;
    this.lock(fd);
    if (fstatSync(fd).nlink > 0) return { position, fd };
    closeSync(fd);
    return undefined;
  }
}
