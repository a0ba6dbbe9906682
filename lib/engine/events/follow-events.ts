import { watch } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { EngineEvent } from '../../core/engine-event.js';
import { decodeEvent } from './event-codec.js';
import type { EventJournal } from './event-journal.js';
import type { EventOptions } from './event-options.js';
import { type JournalPosition, JournalReader } from './read-journal.js';

/** setTimeout takes longer ones for 1. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Events as they come, from a place in the journal on.
 *
 * @throws EngineError `EVENTS_OVERRUN`, the reason of `signal`.
 */
export async function* followEvents(
  journal: EventJournal,
  position: JournalPosition,
  isWanted: (event: EngineEvent) => boolean,
  { until, signal }: EventOptions,
): AsyncGenerator<EngineEvent, void, void> {
  const reader = new JournalReader(journal, position);
  const changes = new Changes(journal.directory);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const isLast = until !== undefined && Date.now() >= until.getTime();
      const lines = reader.take();
      for (const line of lines) {
        const event = decodeEvent(line);
        if (event === undefined || !isWanted(event)) continue;
        if (until !== undefined && event.time >= until) return;
        yield event;
      }
      if (lines.length > 0)
        await setImmediate(); // a long history must not keep everything else waiting
      else if (isLast) return;
      else await changes.next(until, signal);
    }
  } finally {
    changes.close();
    reader.close();
  }
}

/** Whether something has changed in a directory since the last look. Somebody who waits keeps this Node process alive. */
class Changes {
  readonly #watcher;
  #changed = true;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(directory: string) {
    this.#watcher = watch(directory, { persistent: true });
    this.#watcher.on('change', () => {
      this.#changed = true;
      this.#wake();
    });
    this.#watcher.on('error', (error) => {
      this.#failure = error;
      this.#wake();
    });
  }

  async next(until: Date | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (!this.#changed && this.#failure === undefined) await this.#wait(until, signal);
    if (this.#failure !== undefined) throw this.#failure;
    this.#changed = false;
  }

  close(): void {
    this.#watcher.close();
  }

  async #wait(until: Date | undefined, signal: AbortSignal | undefined): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      signal?.addEventListener('abort', this.#wake, { once: true });
      if (until === undefined) return;
      timer = setTimeout(resolve, Math.min(Math.max(until.getTime() - Date.now(), 0), MAX_TIMER_MS));
    });
    clearTimeout(timer);
    signal?.removeEventListener('abort', this.#wake);
  }
}
