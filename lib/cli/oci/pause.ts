import { EngineError } from '../../core/errors/engine-error.js';
import { readRecord } from './container-record.js';
import { statusOf } from './container-status.js';
import { defineCommand } from './define-command.js';
import { freezerOf } from './freezer.js';

/** Stops all processes of a container. */
export const command = defineCommand({
  usage: 'pause CONTAINER',
  options: {},
  operands: [1, 1],
  run: (context, _options, [id = '']) => {
    const record = readRecord(context, id);
    const status = statusOf(record);
    if (status !== 'running') throw new EngineError('WRONG_STATE', { id, status, wanted: 'running' });
    const freezer = freezerOf(record);
    if (freezer === undefined) {
      const hint = 'the container has no group in it';
      throw new EngineError('CONTROLLER_MISSING', { option: 'pause', controller: 'freezer', hint });
    }
    freezer.freeze();
    return 0;
  },
});
