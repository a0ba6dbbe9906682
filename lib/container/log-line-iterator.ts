import type { LineBlock, LogLine } from './log-lines.js';

const done = { done: true, value: undefined } as const;

/**
 * Lines one by one. An async generator would take three turns of the microtask queue for each, which for millions of
 * lines costs more than to read them.
 */
export class LogLineIterator implements AsyncIterableIterator<LogLine> {
  readonly #blocks: AsyncGenerator<LineBlock, void, void>;
  readonly #timestamps: boolean;
  #block: LineBlock | undefined;
  #at = new Date(0);
  #stamp = '';
  #index = 0;
  /** Calls of `next` that came before the one before them was answered. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(blocks: AsyncGenerator<LineBlock, void, void>, timestamps: boolean) {
    this.#blocks = blocks;
    this.#timestamps = timestamps;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<LogLine, undefined>> {
    const block = this.#block;
    if (block === undefined || this.#index === block.texts.length) return this.#refill();
    return Promise.resolve({ done: false, value: this.#take(block) });
  }

  async return(): Promise<IteratorResult<LogLine, undefined>> {
    this.#block = undefined;
    await this.#blocks.return();
    return done;
  }

  #take(block: LineBlock): LogLine {
    const text = block.texts[this.#index] ?? '';
    this.#index += 1;
    return {
      stream: block.stream,
      at: this.#at,
      text: this.#timestamps ? `${this.#stamp} ${text}` : text,
      partial: block.partial && this.#index === block.texts.length,
    };
  }

  #refill(): Promise<IteratorResult<LogLine, undefined>> {
    const refilled = this.#queue.then(async () => {
      // An earlier call may have brought more than it has taken.
      while (this.#block === undefined || this.#index === this.#block.texts.length) {
        const next = await this.#blocks.next();
        if (next.done === true) {
          this.#block = undefined;
          return done;
        }
        this.#begin(next.value);
      }
      return { done: false, value: this.#take(this.#block) } as const;
    });
    this.#queue = refilled.catch(() => undefined); // the caller of that one is told
    return refilled;
  }

  #begin(block: LineBlock): void {
    this.#block = block;
    this.#index = 0;
    this.#at = new Date(Number(block.time / 1_000_000n));
    if (this.#timestamps) this.#stamp = timestamp(block.time);
  }
}

/** RFC 3339 with nanoseconds, in UTC. */
export function timestamp(time: bigint): string {
  const seconds = new Date(Number(time / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(time % 1_000_000_000n).padStart(9, '0')}Z`;
}
