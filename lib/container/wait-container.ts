import { watch } from 'node:fs';
import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { ExitStatus } from '../core/exit-status.js';
import { awaitExit } from './await-process.js';
import { type ContainerFiles, containerFiles, readState } from './container-files.js';
import type { ContainerServices } from './container-services.js';

/** The record of an exit is an event of the directory; that a supervisor was killed is none, hence the second look. */
const LOOK_AGAIN_MS = 500;

/**
 * How a container ends, or has ended.
 *
 * @throws EngineError `WRONG_STATE` for one that was never started.
 */
export async function waitContainer(
  services: ContainerServices,
  id: string,
  options: Abortable = {},
): Promise<ExitStatus> {
  const files = containerFiles(services.layout, id);
  const live = services.live.get(id);
  const state = readState(files);
  if (state.status === 'created') throw new EngineError('WRONG_STATE', { id, status: 'created', wanted: 'started' });
  if (state.status === 'exited') return state.exit;
  if (live === undefined) return waitForRecord(files, options.signal);
  try {
    return await awaitExit(live.process, options.signal);
  } catch (error) {
    if (!EngineError.is(error, 'SHIM_FAILED')) throw error;
    return waitForRecord(files, options.signal); // its supervisor was killed: the kernel ends the container
  }
}

/** For a container that another process has started. */
async function waitForRecord(files: ContainerFiles, signal: AbortSignal | undefined): Promise<ExitStatus> {
  signal?.throwIfAborted();
  return new Promise<ExitStatus>((resolve, reject) => {
    const look = (): void => {
      try {
        const state = readState(files);
        if (state.status === 'exited') settle(() => resolve(state.exit));
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    const settle = (act: () => void): void => {
      watcher.close();
      clearInterval(timer);
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    const watcher = watch(files.directory, look);
    watcher.on('error', (error) => settle(() => reject(error)));
    const timer = setInterval(look, LOOK_AGAIN_MS);
    signal?.addEventListener('abort', onAbort, { once: true });
    look();
  });
}
