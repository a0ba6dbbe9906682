import { writeSync } from 'node:fs';
import { listIds, readRecord } from './container-record.js';
import { stateOf } from './container-status.js';
import { defineCommand } from './define-command.js';
import { formatTable } from './format-table.js';
import { UsageError } from './usage-error.js';

/** Lists the containers below the root. */
export const command = defineCommand({
  usage: 'list',
  options: {
    format: { kind: 'text', short: 'f', help: 'table or json' },
    quiet: { kind: 'flag', short: 'q', help: 'ids only' },
  },
  operands: [0, 0],
  run: (context, { format = 'table', quiet }) => {
    if (format !== 'table' && format !== 'json') throw new UsageError(`unknown format '${format}'`);
    const containers = listIds(context).flatMap((id) => {
      try {
        const record = readRecord(context, id);
        const { rootfs, created, owner } = record;
        return [{ ...stateOf(record), rootfs, created, owner }];
      } catch (error) {
        context.log.warn(`${id}: ${error instanceof Error ? error.message : String(error)}`);
        return [];
      }
    });
    if (quiet) writeSync(1, containers.map(({ id }) => `${id}\n`).join(''));
    else if (format === 'json') writeSync(1, `${JSON.stringify(containers)}\n`);
    else {
      const rows = containers.map((each) => [
        each.id,
        String(each.pid),
        each.status,
        each.bundle,
        each.created,
        each.owner,
      ]);
      writeSync(1, formatTable(['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'], rows));
    }
    return 0;
  },
});
