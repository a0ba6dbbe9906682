import { containerOptions } from './container-options.js';
import { writeRecord } from './container-record.js';
import { stateOf } from './container-status.js';
import { createContainer } from './create-container.js';
import { defineCommand } from './define-command.js';
import { deleteContainer } from './delete-container.js';
import { followForeground } from './follow-foreground.js';
import { runHostHooks } from './run-host-hooks.js';

/** Creates and starts a container; without --detach, waits for its end and removes it. */
export const command = defineCommand({
  usage: 'run CONTAINER',
  options: {
    ...containerOptions,
    detach: { kind: 'flag', short: 'd', help: 'leave the container running' },
    keep: { kind: 'flag', help: 'do not remove the container when it has ended' },
  },
  operands: [1, 1],
  run: async (context, options, [id = '']) => {
    const { record, config, session } = await createContainer(context, {
      id,
      bundle: options.bundle,
      configFile: options.config,
      consoleSocket: options['console-socket'],
      pidFile: options['pid-file'],
      preserveFds: options['preserve-fds'] ?? 0,
      noPivot: options['no-pivot'],
      waitForStart: false,
      detach: options.detach,
    });
    try {
      runHostHooks('poststart', config.hooks?.poststart ?? [], { ...stateOf(record), status: 'running' });
    } catch (error) {
      await deleteContainer(context, record);
      throw error;
    }
    if (options.detach) {
      session.leave();
      return 0;
    }
    const exitCode = await followForeground(session, config.process?.terminal === true && !options['console-socket']);
    if (options.keep) writeRecord(context, record);
    else await deleteContainer(context, record);
    return exitCode;
  },
});
