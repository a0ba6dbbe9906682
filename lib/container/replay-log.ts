import { EngineError } from '../core/errors/engine-error.js';
import type { Attachment } from '../runtime/attachment.js';
import { containerFiles } from './container-files.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { type LockLog, LogReader, logEnd } from './log-reader.js';

/** Puts what a container's log holds in front of the live output of an attachment, as fast as that is read. */
export class LogReplay {
  readonly #id: string;
  readonly #prefix: string;
  readonly #lock: LockLog;
  readonly #attachment: Attachment;
  #reader: LogReader | undefined;
  #busy: Promise<void> = Promise.resolve();
  #over = false;

  constructor(services: ContainerServices, record: ContainerRecord, attachment: Attachment) {
    this.#id = record.id;
    this.#prefix = containerFiles(services.layout, record.id).logPrefix;
    this.#lock = (fd) => void services.kernel.tryLock(fd, 'shared');
    this.#attachment = attachment;
    const close = (): void => {
      this.#over = true;
      void this.#after(async () => this.#reader?.close());
    };
    attachment.ended.then(close, close);
  }

  /** Everything that is there now. Calls wait for each other. */
  untilNow(): Promise<void> {
    return this.#after(() => this.#copy(logEnd(this.#prefix)));
  }

  until(position: bigint): Promise<void> {
    return this.#after(() => this.#copy(position));
  }

  #after(work: () => Promise<void>): Promise<void> {
    const next = this.#busy.then(work);
    this.#busy = next.catch(() => undefined); // the caller is told
    return next;
  }

  async #copy(end: bigint): Promise<void> {
    this.#reader ??= new LogReader(this.#prefix, this.#lock);
    const log = this.#reader;
    for (let batch = await log.next(end); batch !== undefined && !this.#over; batch = await log.next(end)) {
      const lostBytes = log.takeLost();
      if (lostBytes > 0) throw new EngineError('LOG_OVERRUN', { id: this.#id, lostBytes });
      for (const { stream, bytes } of batch) {
        // Bytes of a batch are valid until the next one only.
        if (stream !== 'gap' && !this.#over) await this.#attachment.replay(stream, Buffer.from(bytes));
      }
    }
  }
}
