import { watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import { isMissing } from '../util/file-error.js';
import { containerFiles, readState } from './container-files.js';
import type { ContainerServices } from './container-services.js';
import { type LogLine, LogLines } from './log-lines.js';
import { decodeLogRecord, LOG_HEAD_BYTES, LOG_TAIL_BYTES, MAX_LOG_RECORD_BYTES } from './log-record.js';

export interface LogOptions extends Abortable {
  /** Goes on until the container has ended and everything was read. Default false. */
  readonly follow?: boolean;
  /** Begins with the last so many lines. Default: all. */
  readonly tail?: number;
}

const READ_BYTES = 256 * 1024;
const LOOK_AGAIN_MS = 250;

/** The lines of a container's log, oldest first. Leaving the loop releases everything. */
export async function* readLogs(
  services: ContainerServices,
  id: string,
  options: LogOptions = {},
): AsyncGenerator<LogLine, void, void> {
  const { tail, follow = false, signal } = options;
  if (tail !== undefined && (!Number.isSafeInteger(tail) || tail < 0)) {
    throw new EngineError('INVALID_OPTION', { option: 'tail', expected: 'a whole number from 0', got: String(tail) });
  }
  signal?.throwIfAborted();
  const files = containerFiles(services.layout, id);
  const log = await openLog(files.log);
  if (log === undefined) return; // never started
  try {
    const { size } = await log.stat();
    const start = tail === undefined ? 0 : await findTail(log, size, tail, files.log);
    const reader = new LogReader(log, start, files.log);
    const isRunning = (): boolean => readState(files).status === 'running';
    if (tail !== undefined) {
      const lines: LogLine[] = [];
      for await (const line of reader.lines(size)) lines.push(line);
      const complete = tail - reader.unfinished; // what has no line break yet is the last line all the same
      yield* complete <= 0 ? [] : lines.slice(-complete);
    }
    for (;;) {
      const wasRunning = follow && isRunning(); // before reading: what it wrote until its end is then still seen
      yield* reader.lines(Number.POSITIVE_INFINITY);
      signal?.throwIfAborted();
      if (!wasRunning) break;
      await changed(files.log, signal);
    }
    yield* reader.rest();
  } finally {
    await log.close();
  }
}

async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

class LogReader {
  readonly #lines = new LogLines();
  #buffer = Buffer.alloc(0);

  constructor(
    private readonly log: FileHandle,
    private position: number,
    private readonly path: string,
  ) {}

  /** The complete lines that are there now, up to `end` in the file. */
  async *lines(end: number): AsyncGenerator<LogLine, void, void> {
    while (this.position < end) {
      const chunk = Buffer.allocUnsafe(Math.min(READ_BYTES, end - this.position));
      const { bytesRead } = await this.log.read(chunk, 0, chunk.length, this.position);
      if (bytesRead === 0) return;
      this.position += bytesRead;
      this.#buffer = Buffer.concat([this.#buffer, chunk.subarray(0, bytesRead)]);
      for (let next = decodeLogRecord(this.#buffer, this.path); next !== undefined; ) {
        this.#buffer = this.#buffer.subarray(next.size);
        yield* this.#lines.push(next.record);
        next = decodeLogRecord(this.#buffer, this.path);
      }
    }
  }

  /** How many lines have begun and not ended yet. */
  get unfinished(): number {
    return this.#lines.unfinished;
  }

  *rest(): Generator<LogLine> {
    yield* this.#lines.end();
  }
}

/** Walks back over whole records until they hold enough line breaks. */
async function findTail(log: FileHandle, size: number, lines: number, path: string): Promise<number> {
  let position = size;
  for (let seen = 0; lines > 0 && position > 0 && seen <= lines; ) {
    const tail = Buffer.alloc(LOG_TAIL_BYTES);
    await log.read(tail, 0, LOG_TAIL_BYTES, position - LOG_TAIL_BYTES);
    const length = tail.readUInt32LE(0);
    const start = position - LOG_TAIL_BYTES - length - LOG_HEAD_BYTES;
    if (length > MAX_LOG_RECORD_BYTES || start < 0) {
      throw new EngineError('CORRUPT_RECORD', { path, expected: 'a log record before the end' });
    }
    const bytes = Buffer.alloc(length);
    await log.read(bytes, 0, length, start + LOG_HEAD_BYTES);
    for (const byte of bytes) if (byte === 0x0a) seen += 1;
    position = start;
  }
  return position;
}

/** Until the file changes; the end of the container is no event of the file, hence the second look. */
async function changed(path: string, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const settle = (act: () => void): void => {
      watcher.close();
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    const watcher = watch(path, () => settle(resolve));
    watcher.on('error', (error) => settle(() => reject(error)));
    const timer = setTimeout(() => settle(resolve), LOOK_AGAIN_MS);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
