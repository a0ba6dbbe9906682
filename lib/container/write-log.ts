import { EngineError } from '../core/errors/engine-error.js';
import { containerFiles } from './container-files.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { LogLineIterator } from './log-line-iterator.js';
import { logEnd } from './log-reader.js';
import { readLogBlocks } from './read-logs.js';
import type { LogWriter } from './stdio-options.js';

/**
 * Hands the log of one run to a function of this process: what the supervisor has written to files is read as it comes. So
 * the container never waits for the function, and what waits for it is bounded by the files' size.
 */
export class LogWriting {
  readonly #from: bigint;

  /** To be made before the container starts: what earlier runs have logged was handed on then. */
  constructor(
    private readonly services: ContainerServices,
    private readonly record: ContainerRecord,
    private readonly write: LogWriter,
  ) {
    this.#from = logEnd(containerFiles(services.layout, record.id).logPrefix);
  }

  /** Settles when the container has ended and everything was handed on. */
  async run(): Promise<void> {
    const { id } = this.record;
    const onLost = (lostBytes: number): void => this.#fail(new EngineError('LOG_OVERRUN', { id, lostBytes }));
    try {
      const blocks = readLogBlocks(this.services, id, { follow: true, onLost }, this.#from);
      for await (const line of new LogLineIterator(blocks, false)) this.#hand(line);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A function that throws fails alone, as an uncaught exception of its own turn. */
  #hand(line: Parameters<LogWriter>[0]): void {
    try {
      this.write(line);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #fail(error: unknown): void {
    this.services.events.logFailed(this.record, error);
  }
}
