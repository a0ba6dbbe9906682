import { containerOptions } from './container-options.js';
import { createContainer } from './create-container.js';
import { defineCommand } from './define-command.js';

/** Makes a container whose program waits for `start`. */
export const command = defineCommand({
  usage: 'create CONTAINER',
  options: containerOptions,
  operands: [1, 1],
  run: async (context, options, [id = '']) => {
    const { session } = await createContainer(context, {
      id,
      bundle: options.bundle,
      configFile: options.config,
      consoleSocket: options['console-socket'],
      pidFile: options['pid-file'],
      preserveFds: options['preserve-fds'] ?? 0,
      noPivot: options['no-pivot'],
      waitForStart: true,
      detach: true,
    });
    session.leave();
    return 0;
  },
});
