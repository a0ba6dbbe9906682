import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import { gapBytes, type LogRecord } from '../runtime/log-record.js';
import { DirectoryWatch } from '../util/directory-watch.js';
import { containerFiles, readState } from './container-files.js';
import type { ContainerServices } from './container-services.js';
import { isBeyond, isWanted, type LogFilter } from './log-filter.js';
import { type LineBlock, LogLines } from './log-lines.js';
import { checkLogOptions, type LogOptions } from './log-options.js';
import { type LockLog, LogReader, logEnd } from './log-reader.js';
import { findLogTail } from './log-tail.js';

/** The end of a container that was killed together with its supervisor is no event of its files, hence the second look. */
const LOOK_AGAIN_MS = 250;

/** Batches of records that are wanted, oldest first; each is valid until the next is asked for. */
export async function* readLogRecords(
  services: ContainerServices,
  id: string,
  options: LogOptions = {},
): AsyncGenerator<readonly LogRecord[], void, void> {
  const session = new LogSession(services, id, options, checkLogOptions(options));
  try {
    await session.begin();
    yield* session.records();
  } finally {
    session.close();
  }
}

/** The same as lines. Leaving the loop releases everything. @param from - a position of the log to begin with. */
export async function* readLogBlocks(
  services: ContainerServices,
  id: string,
  options: LogOptions = {},
  from?: bigint,
): AsyncGenerator<LineBlock, void, void> {
  const session = new LogSession(services, id, options, checkLogOptions(options));
  const lines = new LogLines();
  try {
    await session.begin(from);
    if (options.tail !== undefined) {
      yield* await lastLines(session, lines, options.tail, options.follow === true);
      if (options.follow !== true) return;
    }
    for await (const records of session.records()) for (const record of records) yield* lines.push(record);
    yield* lines.end();
  } finally {
    session.close();
  }
}

/** The last lines that there are now. One without a line break counts; with `follow` it comes later, when it is complete. */
async function lastLines(
  session: LogSession,
  lines: LogLines,
  tail: number,
  follow: boolean,
): Promise<readonly LineBlock[]> {
  let last: LineBlock[] = [];
  for await (const records of session.recordsSoFar()) {
    for (const record of records) for (const block of lines.push(record)) last.push(...singly(block));
    if (last.length > 2 * tail) last = last.slice(-tail); // one line of the other stream may have led far back
  }
  const wanted = follow ? tail - lines.unfinished : tail;
  if (!follow) last.push(...lines.end());
  return wanted <= 0 ? [] : last.slice(-wanted);
}

const singly = (block: LineBlock): readonly LineBlock[] => block.texts.map((text) => ({ ...block, texts: [text] }));

/** One reading of a log. */
class LogSession {
  readonly #prefix: string;
  readonly #directories: readonly string[];
  readonly #isRunning: () => boolean;
  readonly #lock: LockLog;
  #reader: LogReader | undefined;
  #watch: DirectoryWatch | undefined;
  /** What is there when the reading begins. */
  #end = 0n;

  constructor(
    services: ContainerServices,
    private readonly id: string,
    private readonly options: LogOptions & Abortable,
    private readonly filter: LogFilter,
  ) {
    options.signal?.throwIfAborted();
    const files = containerFiles(services.layout, id);
    this.#prefix = files.logPrefix;
    this.#directories = [files.directory, files.runDirectory];
    this.#lock = (fd) => void services.kernel.tryLock(fd, 'shared');
    this.#isRunning = () => ['running', 'restarting'].includes(readState(files).status);
  }

  /** @param from - a position; default: where the tail begins, or the log. */
  async begin(from?: bigint): Promise<void> {
    const { tail } = this.options;
    this.#reader = new LogReader(this.#prefix, this.#lock); // before looking around: nothing is rotated away from now on
    this.#end = logEnd(this.#prefix);
    const start = from ?? (tail === undefined ? tail : await findLogTail(this.#prefix, this.#end, tail, this.filter));
    if (start !== undefined) this.#reader.beginAt(start);
  }

  /** What was there when the reading began. */
  async *recordsSoFar(): AsyncGenerator<readonly LogRecord[], void, void> {
    for (let batch = await this.#next(this.#end); batch !== undefined; batch = await this.#next(this.#end)) {
      yield this.#wanted(batch);
    }
  }

  /** Everything else; with `follow` until the container has ended. */
  async *records(): AsyncGenerator<readonly LogRecord[], void, void> {
    const { follow = false } = this.options;
    for (;;) {
      const wasRunning = follow && this.#isRunning(); // before reading: what it wrote until its end is then still seen
      for (let batch = await this.#next(); batch !== undefined; batch = await this.#next()) {
        yield this.#wanted(batch);
        if (batch.some((record) => isBeyond(record, this.filter))) return;
      }
      if (!wasRunning || this.#isOver()) return;
      this.#watch ??= new DirectoryWatch(this.#directories, this.options.signal);
      await this.#watch.changed(LOOK_AGAIN_MS);
    }
  }

  close(): void {
    this.#watch?.close();
    this.#reader?.close();
  }

  async #next(end?: bigint): Promise<readonly LogRecord[] | undefined> {
    const batch = await this.#reader?.next(end);
    this.options.signal?.throwIfAborted();
    this.#tellLost(batch ?? []);
    return batch;
  }

  #wanted(batch: readonly LogRecord[]): readonly LogRecord[] {
    const isBounded = this.filter.since !== undefined || this.filter.until !== undefined;
    if (!isBounded && this.filter.stdout && this.filter.stderr) return batch;
    return batch.filter((record) => isWanted(record, this.filter));
  }

  #tellLost(batch: readonly LogRecord[]): void {
    const { onLost } = this.options;
    const lost = this.#reader?.takeLost() ?? 0;
    if (lost > 0 && onLost === undefined) throw new EngineError('LOG_OVERRUN', { id: this.id, lostBytes: lost });
    if (lost > 0) onLost?.(lost);
    for (const record of batch) {
      const missing = record.stream === 'gap' ? gapBytes(record) : 0;
      if (missing > 0 && isWanted(record, this.filter)) onLost?.(missing);
    }
  }

  #isOver(): boolean {
    return this.filter.until !== undefined && BigInt(Date.now()) * 1_000_000n > this.filter.until;
  }
}
