import type { Abortable } from '../core/abortable.js';
import { attachCleanupErrors } from '../core/errors/attach-cleanup-errors.js';
import { type CommandResult, checkBounds, collectResult } from './command-result.js';
import type { BufferedOptions, ContainerSettings } from './container-options.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { createContainer } from './create-container.js';
import type { RootfsOption } from './host-rootfs.js';
import { invalidOption } from './invalid-option.js';
import { removeContainer } from './remove-container.js';
import { startContainer } from './start-container.js';

/** How a command is run in a container of its own. It always dies with its owner, and is removed at its end. */
export interface RunOptions
  extends Omit<ContainerSettings, 'lifetime' | 'restart' | 'healthcheck' | 'stdinOnce' | 'log'>,
    BufferedOptions,
    Abortable {}

/**
 * Makes a container, runs its command to the end, removes it, and gives exit and output.
 *
 * Output goes through pipes straight to this process: nothing is written to disk.
 */
export async function runContainer(
  services: ContainerServices,
  image: string | RootfsOption,
  command: readonly string[] | undefined,
  options: RunOptions,
): Promise<CommandResult> {
  const { input, maxOutputBytes: _max, timeoutMs: _timeout, ...settings } = options;
  checkBounds(options);
  for (const option of ['restart', 'healthcheck']) {
    if (!Object.hasOwn(options, option)) continue;
    const expected = 'left out: what is run once is neither started again nor watched';
    throw invalidOption(option, expected, Reflect.get(options, option));
  }
  const record = await createContainer(services, {
    ...settings,
    ...(command && { command }),
    ...(typeof image === 'string' ? { image } : { rootfs: image }),
    lifetime: 'owner',
  });
  let result: CommandResult;
  try {
    const stdin = input === undefined && settings.openStdin !== true ? 'null' : 'pipe';
    const { process } = await startContainer(services, record, {
      pipes: { stdin },
      removeAtEnd: true,
      signal: options.signal,
    });
    result = await collectResult(process, record.id, options);
  } catch (error) {
    await removeAfter(services, record, error);
    throw error;
  }
  await removeContainer(services, record, { force: true });
  return result;
}

async function removeAfter(services: ContainerServices, record: ContainerRecord, failure: unknown): Promise<void> {
  try {
    await removeContainer(services, record, { force: true });
  } catch (error) {
    attachCleanupErrors(failure, [error]);
  }
}
