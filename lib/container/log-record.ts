import { EngineError } from '../core/errors/engine-error.js';

/** One piece of output as the supervisor read it; native/src/log.h describes the format. */
export interface LogRecord {
  readonly stream: 'stdout' | 'stderr';
  readonly at: Date;
  readonly bytes: Buffer;
}

export const LOG_HEAD_BYTES = 16;
export const LOG_TAIL_BYTES = 4;
/** The supervisor reads this much at once. */
export const MAX_LOG_RECORD_BYTES = 64 * 1024;

/** The record at the start of `buffer`, and its size in the file; undefined when it is not there entirely yet. */
export function decodeLogRecord(buffer: Buffer, path: string): { record: LogRecord; size: number } | undefined {
  if (buffer.length < LOG_HEAD_BYTES) return undefined;
  const length = buffer.readUInt32LE(0);
  const stream = buffer.readUInt8(4);
  if (length > MAX_LOG_RECORD_BYTES || (stream !== 1 && stream !== 2)) {
    throw new EngineError('CORRUPT_RECORD', { path, expected: 'a log record' });
  }
  const size = LOG_HEAD_BYTES + length + LOG_TAIL_BYTES;
  if (buffer.length < size) return undefined;
  return {
    size,
    record: {
      stream: stream === 1 ? 'stdout' : 'stderr',
      at: new Date(Number(buffer.readBigUInt64LE(8) / 1_000_000n)),
      bytes: Buffer.from(buffer.subarray(LOG_HEAD_BYTES, LOG_HEAD_BYTES + length)),
    },
  };
}
