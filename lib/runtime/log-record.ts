import { EngineError } from '../core/errors/engine-error.js';

/** One piece of output as the supervisor has read it; native/src/log.h describes the format. */
export interface LogRecord {
  /** `gap`: output could not be written, and `bytes` is how much (u64), or 0: nothing is missing. */
  readonly stream: 'stdout' | 'stderr' | 'gap';
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  /** A view of the buffer that it was decoded from. */
  readonly bytes: Buffer;
}

export const LOG_HEAD_BYTES = 16;
export const LOG_TAIL_BYTES = 4;
/** The supervisor reads this much at once. */
export const MAX_LOG_RECORD_BYTES = 64 * 1024;

const streams = [undefined, 'stdout', 'stderr', 'gap'] as const;

/** The record at `start`, and its size in the file; undefined when it is not there entirely. */
export function decodeLogRecord(
  buffer: Buffer,
  path: string,
  start = 0,
): { readonly record: LogRecord; readonly size: number } | undefined {
  if (buffer.length - start < LOG_HEAD_BYTES) return undefined;
  const length = buffer.readUInt32LE(start);
  const stream = streams[buffer.readUInt8(start + 4)];
  if (length > MAX_LOG_RECORD_BYTES || stream === undefined || (stream === 'gap' && length !== 8)) {
    throw new EngineError('CORRUPT_RECORD', { path, expected: 'a log record' });
  }
  const size = LOG_HEAD_BYTES + length + LOG_TAIL_BYTES;
  if (buffer.length - start < size) return undefined;
  const bytes = buffer.subarray(start + LOG_HEAD_BYTES, start + LOG_HEAD_BYTES + length);
  return { size, record: { stream, time: buffer.readBigUInt64LE(start + 8), bytes } };
}

/** How many bytes are missing at a gap, or 0. */
export const gapBytes = (gap: LogRecord): number => Number(gap.bytes.readBigUInt64LE(0));
