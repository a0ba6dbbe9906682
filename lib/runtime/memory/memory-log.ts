import { appendFileSync, rmSync, statSync } from 'node:fs';
import { type LogTarget, logFile, logFiles } from '../log-files.js';
import { LOG_HEAD_BYTES, LOG_TAIL_BYTES, MAX_LOG_RECORD_BYTES } from '../log-record.js';

/** Writes a log as the supervisor does: native/src/log.h. */
export class MemoryLog {
  readonly #files: bigint[];
  #size: number;

  constructor(private readonly target: LogTarget) {
    this.#files = [...logFiles(target.prefix)];
    if (this.#files.length === 0) this.#begin(0n);
    this.#size = statSync(this.#newest).size;
  }

  /** Where the next record begins. */
  get position(): bigint {
    return (this.#files.at(-1) ?? 0n) + BigInt(this.#size);
  }

  append(stream: 1 | 2, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += MAX_LOG_RECORD_BYTES) {
      const record = logRecord(stream, bytes.subarray(at, at + MAX_LOG_RECORD_BYTES));
      if (this.#size > 0 && this.#size + record.length > this.target.maxBytes) this.#begin(this.position);
      appendFileSync(this.#newest, record);
      this.#size += record.length;
    }
  }

  get #newest(): string {
    return logFile(this.target.prefix, this.#files.at(-1) ?? 0n);
  }

  #begin(position: bigint): void {
    this.#files.push(position);
    this.#size = 0;
    appendFileSync(this.#newest, '', { mode: 0o600 });
    for (const old of this.#files.splice(0, this.#files.length - this.target.maxFiles)) {
      rmSync(logFile(this.target.prefix, old), { force: true });
    }
  }
}

function logRecord(stream: 1 | 2, bytes: Buffer): Buffer {
  const record = Buffer.alloc(LOG_HEAD_BYTES + bytes.length + LOG_TAIL_BYTES);
  record.writeUInt32LE(bytes.length, 0);
  record.writeUInt8(stream, 4);
  record.writeBigUInt64LE(BigInt(Date.now()) * 1_000_000n, 8);
  bytes.copy(record, LOG_HEAD_BYTES);
  record.writeUInt32LE(bytes.length, LOG_HEAD_BYTES + bytes.length);
  return record;
}
