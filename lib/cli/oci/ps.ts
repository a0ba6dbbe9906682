import { writeSync } from 'node:fs';
import { EngineError } from '../../core/errors/engine-error.js';
import { fsCgroupControl } from '../../runtime/cgroup/fs-cgroup-control.js';
import { listProcesses } from '../../runtime/cgroup/list-processes.js';
import { cgroupFilesOf } from './container-cgroup.js';
import { readRecord } from './container-record.js';
import { statusOf } from './container-status.js';
import { defineCommand } from './define-command.js';
import { UsageError } from './usage-error.js';

/** Lists the processes of a container, as numbers of the host. */
export const command = defineCommand({
  usage: 'ps CONTAINER',
  options: { format: { kind: 'text', short: 'f', help: 'table or json' } },
  operands: [1, 1],
  optionsAnywhere: true,
  run: async (context, { format = 'table' }, [id = '']) => {
    if (format !== 'table' && format !== 'json') throw new UsageError(`unknown format '${format}'`);
    const record = readRecord(context, id);
    const status = statusOf(record);
    if (status === 'stopped' || status === 'creating')
      throw new EngineError('WRONG_STATE', { id, status, wanted: 'running' });
    const files = cgroupFilesOf(record);
    const pids = files.processes === undefined ? [record.pid] : await listProcesses(files, fsCgroupControl);
    writeSync(1, format === 'json' ? `${JSON.stringify(pids)}\n` : ['PID', ...pids, ''].join('\n'));
    return 0;
  },
});
