import { setImmediate } from 'node:timers/promises';
import type { EngineEvent } from '../../core/engine-event.js';
import { DirectoryWatch } from '../../util/directory-watch.js';
import { decodeEvent } from './event-codec.js';
import type { EventJournal } from './event-journal.js';
import type { EventOptions } from './event-options.js';
import { type JournalPosition, JournalReader } from './read-journal.js';

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
  const watch = new DirectoryWatch([journal.directory], signal);
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
      else await watch.changed(until && Math.max(until.getTime() - Date.now(), 0));
      if (watch.failure !== undefined) throw watch.failure;
    }
  } finally {
    watch.close();
    reader.close();
  }
}
