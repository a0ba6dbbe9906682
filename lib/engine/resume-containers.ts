import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { containerFiles, readRestarts, readState } from '../container/container-files.js';
import { withContainerLock } from '../container/container-lock.js';
import type { ContainerRecord } from '../container/container-record.js';
import type { ContainerServices } from '../container/container-services.js';
import { startContainer } from '../container/start-container.js';
import { EngineError } from '../core/errors/engine-error.js';
import { wantsRestart } from '../runtime/restart-policy.js';

/**
 * Starts containers whose restart policy says so and whose supervisor can no longer do it: after a reboot, or because it was
 * killed. What cannot be started says why when it is inspected (`restartError`); the others are started all the same.
 */
export async function resumeContainers(
  services: ContainerServices,
  records: readonly ContainerRecord[],
): Promise<void> {
  for (const record of records) {
    if (!isToResume(services, record)) continue;
    try {
      await withContainerLock(services, record.id, undefined, async () => {
        // Another engine that was opened at the same moment may have been faster.
        if (isToResume(services, record)) await startContainer(services, record);
      });
    } catch (error) {
      if (EngineError.is(error, 'NO_SUCH_CONTAINER')) continue; // removed in this moment
      noteFailure(services, record, error);
    }
  }
}

function isToResume({ layout }: ContainerServices, { id, config }: ContainerRecord): boolean {
  const files = containerFiles(layout, id);
  if (config.restart === undefined || config.lifetime === 'owner' || !existsSync(files.started)) return false;
  const state = readState(files);
  if (state.status !== 'created' && state.status !== 'exited') return false;
  const isStopped = existsSync(files.stopped);
  const { policy } = config.restart;
  if (policy === 'always') return !isStopped || !existsSync(files.runDirectory); // RUN is new after a reboot
  if (isStopped) return false;
  if (policy === 'unless-stopped' || state.status === 'created') return true;
  const { count } = readRestarts(files);
  return wantsRestart({ ...config.restart, policy }, state.exit.exitCode, count);
}

function noteFailure({ layout }: ContainerServices, { id }: ContainerRecord, error: unknown): void {
  const files = containerFiles(layout, id);
  mkdirSync(files.runDirectory, { recursive: true, mode: 0o700 });
  const text = (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ');
  writeFileSync(files.restarts, `${readRestarts(files).count} 0\n${text}\n`, { mode: 0o600 });
}
