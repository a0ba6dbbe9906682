import { EngineError } from '../../core/errors/engine-error.js';
import { freezeCgroup } from '../../runtime/cgroup/freeze-cgroup.js';
import { fsCgroupControl } from '../../runtime/cgroup/fs-cgroup-control.js';
import { cgroupFilesOf } from './container-cgroup.js';
import { readRecord } from './container-record.js';
import { statusOf } from './container-status.js';
import { defineCommand } from './define-command.js';

/** Stops all processes of a container. */
export const command = defineCommand({
  usage: 'pause CONTAINER',
  options: {},
  operands: [1, 1],
  run: async (context, _options, [id = '']) => {
    const record = readRecord(context, id);
    const status = statusOf(record);
    if (status !== 'running') throw new EngineError('WRONG_STATE', { id, status, wanted: 'running' });
    await freezeCgroup(cgroupFilesOf(record), fsCgroupControl);
    return 0;
  },
});
