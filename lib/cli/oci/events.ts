import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError } from '../../core/errors/engine-error.js';
import { readRecord } from './container-record.js';
import { readStats } from './container-stats.js';
import { statusOf } from './container-status.js';
import { defineCommand } from './define-command.js';
import { UsageError } from './usage-error.js';

/** Prints measurements of a container, one JSON object a line, until it ends; with --stats one. */
export const command = defineCommand({
  usage: 'events CONTAINER',
  options: {
    stats: { kind: 'flag', help: 'one measurement' },
    interval: { kind: 'text', help: 'time between measurements, like 5s or 500ms; default: 5s' },
  },
  operands: [1, 1],
  optionsAnywhere: true,
  run: async (context, options, [id = '']) => {
    const record = readRecord(context, id);
    const intervalMs = parseInterval(options.interval ?? '5s');
    if (statusOf(record) === 'stopped')
      throw new EngineError('WRONG_STATE', { id, status: 'stopped', wanted: 'running' });
    for (;;) {
      writeSync(1, `${JSON.stringify({ type: 'stats', id, data: await readStats(record) })}\n`);
      if (options.stats) return 0;
      await delay(intervalMs);
      if (statusOf(record) === 'stopped') return 0;
    }
  },
});

function parseInterval(text: string): number {
  const match = /^(\d{1,6})(ms|s|m)$/.exec(text);
  const ms = Number(match?.[1]) * { ms: 1, s: 1000, m: 60_000 }[(match?.[2] ?? 's') as 'ms' | 's' | 'm'];
  if (match === null || ms <= 0) throw new UsageError(`interval '${text}': expected a time like 5s`);
  return ms;
}
