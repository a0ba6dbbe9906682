import { writeSync } from 'node:fs';
import { EngineError } from '../../core/errors/engine-error.js';
import { readRecord } from './container-record.js';
import { statusOf } from './container-status.js';
import { defineCommand } from './define-command.js';
import { processesIn } from './delete-container.js';
import { UsageError } from './usage-error.js';

/** Lists the processes of a container, as numbers of the host. */
export const command = defineCommand({
  usage: 'ps CONTAINER',
  options: { format: { kind: 'text', short: 'f', help: 'table or json' } },
  operands: [1, 1],
  optionsAnywhere: true,
  run: (context, { format = 'table' }, [id = '']) => {
    if (format !== 'table' && format !== 'json') throw new UsageError(`unknown format '${format}'`);
    const record = readRecord(context, id);
    const status = statusOf(record);
    if (status === 'stopped' || status === 'creating')
      throw new EngineError('WRONG_STATE', { id, status, wanted: 'running' });
    const [directory] = record.cgroup.directories;
    const pids = directory === undefined ? [record.pid] : processesIn(directory);
    writeSync(1, format === 'json' ? `${JSON.stringify(pids)}\n` : ['PID', ...pids, ''].join('\n'));
    return 0;
  },
});
