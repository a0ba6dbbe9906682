import { EngineError } from '../../core/errors/engine-error.js';
import { thawCgroup } from '../../runtime/cgroup/freeze-cgroup.js';
import { fsCgroupControl } from '../../runtime/cgroup/fs-cgroup-control.js';
import { cgroupFilesOf } from './container-cgroup.js';
import { readRecord } from './container-record.js';
import { statusOf } from './container-status.js';
import { defineCommand } from './define-command.js';

/** Lets the processes of a paused container go on. */
export const command = defineCommand({
  usage: 'resume CONTAINER',
  options: {},
  operands: [1, 1],
  run: async (context, _options, [id = '']) => {
    const record = readRecord(context, id);
    const status = statusOf(record);
    if (status !== 'paused') throw new EngineError('WRONG_STATE', { id, status, wanted: 'paused' });
    await thawCgroup(cgroupFilesOf(record), fsCgroupControl);
    return 0;
  },
});
