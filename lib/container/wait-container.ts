import { existsSync, type FSWatcher, watch } from 'node:fs';
import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { ExitStatus } from '../core/exit-status.js';
import { isMissing } from '../util/file-error.js';
import { awaitExit } from './await-process.js';
import { type ContainerFiles, containerFiles, readState } from './container-files.js';
import type { ContainerServices, LiveContainer } from './container-services.js';

/** The record of an exit is an event of the directory; that a supervisor was killed is none, hence the second look. */
const LOOK_AGAIN_MS = 500;

/**
 * How a container ends, or has ended.
 *
 * @param known What the caller has started itself: its exit is known also after the container was removed.
 * @throws EngineError `WRONG_STATE` for one that was never started, `NO_SUCH_CONTAINER` for one that is removed before
 * its exit was seen.
 */
export async function waitContainer(
  services: ContainerServices,
  id: string,
  options: Abortable = {},
  known?: LiveContainer,
): Promise<ExitStatus> {
  const files = containerFiles(services.layout, id);
  const live = services.live.get(id) ?? known;
  const state = readState(files);
  if (state.status === 'exited') return state.exit;
  if (state.status === 'created') {
    if (existsSync(files.directory)) throw new EngineError('WRONG_STATE', { id, status: 'created', wanted: 'started' });
    if (live === undefined) throw new EngineError('NO_SUCH_CONTAINER', { reference: id });
    return awaitExit(live.process, options.signal);
  }
  if (live?.process.identity.pid !== state.process.pid) return waitForRecord(files, id, options.signal);
  try {
    return await awaitExit(live.process, options.signal);
  } catch (error) {
    // Somebody has killed the supervisor; what is left of the container tells the rest.
    if (EngineError.is(error, 'SHIM_FAILED')) return waitForRecord(files, id, options.signal);
    throw error;
  }
}

/** For a container that another process has started. */
async function waitForRecord(files: ContainerFiles, id: string, signal: AbortSignal | undefined): Promise<ExitStatus> {
  signal?.throwIfAborted();
  const watcher = watchDirectory(files, id);
  return new Promise<ExitStatus>((resolve, reject) => {
    const look = (): void => {
      try {
        const state = readState(files);
        if (state.status === 'exited') settle(() => resolve(state.exit));
        else if (!existsSync(files.directory)) throw new EngineError('NO_SUCH_CONTAINER', { reference: id });
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
    watcher.on('change', look);
    watcher.on('error', (error) => settle(() => reject(error)));
    const timer = setInterval(look, LOOK_AGAIN_MS);
    signal?.addEventListener('abort', onAbort, { once: true });
    look();
  });
}

function watchDirectory(files: ContainerFiles, id: string): FSWatcher {
  try {
    return watch(existsSync(files.runRecord) ? files.runDirectory : files.directory);
  } catch (error) {
    if (isMissing(error)) throw new EngineError('NO_SUCH_CONTAINER', { reference: id });
    throw error;
  }
}
