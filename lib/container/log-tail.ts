import { closeSync, fstatSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { EngineError } from '../core/errors/engine-error.js';
import { logFile, logFiles } from '../runtime/log-files.js';
import {
  decodeLogRecord,
  LOG_HEAD_BYTES,
  LOG_TAIL_BYTES,
  type LogRecord,
  MAX_LOG_RECORD_BYTES,
} from '../runtime/log-record.js';
import { isWanted, type LogFilter } from './log-filter.js';
import { openLog } from './open-log.js';

const BLOCK_BYTES = 1024 * 1024;
const LARGEST_RECORD = LOG_HEAD_BYTES + MAX_LOG_RECORD_BYTES + LOG_TAIL_BYTES;
const NEWLINE = 0x0a;

const readAt = promisify(read);

/**
 * The position from which a log, read up to `end`, holds the last lines that pass the filter, each from its first byte;
 * undefined: from the log's beginning. Walks back over whole records, through as many files as it takes.
 */
export async function findLogTail(
  prefix: string,
  end: bigint,
  lines: number,
  filter: LogFilter,
): Promise<bigint | undefined> {
  if (lines === 0) return end;
  const search = new TailSearch(lines, filter);
  for (const position of logFiles(prefix).toReversed()) {
    const path = logFile(prefix, position);
    const fd = openLog(path);
    if (fd === undefined) return undefined; // rotated away: what is younger was looked at already
    try {
      const size = Math.min(fstatSync(fd).size, Number(end - position));
      const found = await walkBack(fd, path, size, search);
      if (found !== undefined) return position + BigInt(found);
    } finally {
      closeSync(fd);
    }
  }
  return undefined;
}

/** Is shown records from the last one backwards, until enough lines are complete. */
class TailSearch {
  /** With one break more than lines, the first of them begins behind the record that holds it … */
  #left: number;
  /** … unless it is of the other stream: then that one's break before it has to be found, too. */
  readonly #open = new Set<LogRecord['stream']>();

  constructor(
    lines: number,
    private readonly filter: LogFilter,
  ) {
    this.#left = lines + 1;
  }

  /** True when the log need not be read from further back than this record. */
  isFirst(record: LogRecord): boolean {
    if (this.filter.since !== undefined && record.time < this.filter.since) return true;
    if (record.stream === 'gap' || !isWanted(record, this.filter)) return false;
    const breaks = breaksIn(record.bytes);
    const enough = this.#left <= 0;
    this.#left -= breaks;
    if (breaks > 0 && (enough || this.#left <= 0)) this.#open.delete(record.stream);
    else if (!enough) this.#open.add(record.stream);
    return this.#left <= 0 && this.#open.size === 0;
  }
}

async function walkBack(fd: number, path: string, size: number, search: TailSearch): Promise<number | undefined> {
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  for (let at = await endOfRecords(fd, path, size); at > 0; ) {
    const start = Math.max(0, at - BLOCK_BYTES);
    const { bytesRead } = await readAt(fd, buffer, 0, at - start, start);
    let end = bytesRead;
    while (end > 0 && (start === 0 || end >= LARGEST_RECORD)) {
      const before = recordBefore(buffer.subarray(0, end), path);
      if (before === undefined) throw corrupt(path);
      end -= before.size;
      if (search.isFirst(before.record)) return start + end;
    }
    at = start + end;
  }
  return undefined;
}

/** The record that ends with these bytes; undefined when none does. */
function recordBefore(bytes: Buffer, path: string): ReturnType<typeof decodeLogRecord> {
  if (bytes.length < LOG_HEAD_BYTES + LOG_TAIL_BYTES) return undefined;
  const start = bytes.length - LOG_TAIL_BYTES - bytes.readUInt32LE(bytes.length - LOG_TAIL_BYTES) - LOG_HEAD_BYTES;
  if (start < 0) return undefined;
  const decoded = decodeLogRecord(bytes, path, start);
  return decoded?.size === bytes.length - start ? decoded : undefined;
}

/** Usually the size itself. But what a loss of power has cut off ends with half a record: then it is searched forwards. */
async function endOfRecords(fd: number, path: string, size: number): Promise<number> {
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  const length = Math.min(size, LARGEST_RECORD);
  const { bytesRead } = await readAt(fd, buffer, 0, length, size - length);
  if (isWhole(buffer.subarray(0, bytesRead), path)) return size;
  for (let at = 0; ; ) {
    const block = await readAt(fd, buffer, 0, Math.min(BLOCK_BYTES, size - at), at);
    let seen = 0;
    const bytes = buffer.subarray(0, block.bytesRead);
    for (let next = decodeLogRecord(bytes, path); next !== undefined; next = decodeLogRecord(bytes, path, seen)) {
      seen += next.size;
    }
    if (seen === 0) return at;
    at += seen;
  }
}

function isWhole(bytes: Buffer, path: string): boolean {
  try {
    return bytes.length === 0 || recordBefore(bytes, path) !== undefined;
  } catch (error) {
    if (EngineError.is(error, 'CORRUPT_RECORD')) return false;
    throw error;
  }
}

function breaksIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

const corrupt = (path: string): EngineError =>
  new EngineError('CORRUPT_RECORD', { path, expected: 'a log record before the end' });
